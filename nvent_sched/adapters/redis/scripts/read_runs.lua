-- read_runs: read runs, newest occurrence first, or those with these ids.
--
-- uses    _run_texts
-- keys    run_ids job_runs
-- args    job id ('' for all jobs); time and id before which to begin ('' for the
--         newest); limit; count; for each: run id; without ids: all from there on
--
-- returns {run id, text, arguments, details} for each; without ids, unless there is none,
--         also {run id, time} of the last, as the index has it

local STEP = 1000

local job_id, before_at, before_id, limit = arg(), arg(), arg(), tonumber(arg())
local wanted = {}
for place = 1, tonumber(arg()) do
  wanted[place] = arg()
end

-- Those of all jobs that come before the place where to begin, newest first.
local function page_of_all()
  local found, rank = {}, 0
  if before_at ~= '' then
    rank = redis.call('ZCOUNT', run_ids, '(' .. before_at, '+inf')
    local own = redis.call('ZREVRANK', run_ids, before_id)
    if own and own >= rank then
      rank = own + 1
    end
  end
  repeat
    local entries = redis.call('ZREVRANGE', run_ids, rank, rank + STEP - 1, 'WITHSCORES')
    for place = 1, #entries, 2 do
      local id, at = entries[place], tonumber(entries[place + 1])
      local is_wanted = before_at == '' or at < tonumber(before_at)
        or (at == tonumber(before_at) and is_before(id, before_id))
      if is_wanted and #found < limit then
        found[#found + 1] = {id = id, at = entries[place + 1]}
      end
    end
    rank = rank + STEP
  until #found >= limit or #entries < 2 * STEP
  return found
end

local function page_of_job()
  local first, last = bounds_of(job_id)
  if before_at ~= '' then
    last = '(' .. place_in_job(before_id, {job_id = job_id, scheduled_time = before_at})
  end
  local found = {}
  for place, member in ipairs(redis.call(
    'ZREVRANGEBYLEX', job_runs, last, first, 'LIMIT', 0, limit
  )) do
    found[place] = {id = run_id_in(member, job_id), at = time_in(member, job_id)}
  end
  return found
end

if #wanted > 0 then
  return rows_of(wanted)
end

-- One whose text is gone is given without it, and `check` tells; who reads on begins after
-- the last, whatever its text says.
local reply, rows = {}, {}
local page = job_id == '' and page_of_all() or page_of_job()
for place, entry in ipairs(page) do
  wanted[place] = entry.id
end
for _, row in ipairs(rows_of(wanted)) do
  rows[row[1]] = row
end
for place, entry in ipairs(page) do
  reply[place] = rows[entry.id] or {entry.id, '', '', ''}
end
local last = page[#page]
if last then
  reply[#reply + 1] = {last.id, last.at}
end
return reply
