-- read_runs: read runs, newest occurrence first, or those with these ids.
--
-- uses    _args _heads
-- keys    run* run_ids live* past*
-- args    job id ('' for all jobs); time and id before which to begin ('' for the
--         newest); limit; count; for each: run id; without ids: all from there on
--
-- returns {run id, {field, value, ...}} for each

local STEP = 1000

local job_id, before_at, before_id, limit = arg(), arg(), arg(), tonumber(arg())
local wanted = {}
for place = 1, tonumber(arg()) do
  wanted[place] = {id = arg()}
end

-- Entries of one index that come before the place where to begin, newest first.
local function page_of(index)
  local found = {}
  local rank = 0
  if before_at ~= '' then
    rank = redis.call('ZCOUNT', index, '(' .. before_at, '+inf')
    local own = redis.call('ZREVRANK', index, before_id)
    if own and own >= rank then
      rank = own + 1
    end
  end
  repeat
    local entries = redis.call('ZREVRANGE', index, rank, rank + STEP - 1, 'WITHSCORES')
    for place = 1, #entries, 2 do
      local entry = {id = entries[place], at = tonumber(entries[place + 1])}
      local is_before = before_at == '' or entry.at < tonumber(before_at)
        or (entry.at == tonumber(before_at) and entry.id < before_id)
      if is_before and #found < limit then
        found[#found + 1] = entry
      end
    end
    rank = rank + STEP
  until #found >= limit or #entries < 2 * STEP
  return found
end

if #wanted == 0 then
  if job_id == '' then
    wanted = page_of(run_ids)
  else
    wanted = page_of(live .. job_id)
    for _, entry in ipairs(page_of(past .. job_id)) do
      wanted[#wanted + 1] = entry
    end
    table.sort(wanted, function(one, other) return by_time(other, one) end)
  end
end
local reply = {}
for _, entry in ipairs(wanted) do
  local row = redis.call('HGETALL', run .. entry.id)
  if #row > 0 and #reply < limit then
    reply[#reply + 1] = {entry.id, row}
  end
end
return reply
