-- settle: write what became of each run whose state and fence are those seen.
--
-- uses    _runs _jobs _tallies
-- keys    hints
-- args    caller; now; count; for each: run id, seen state, seen fence, seen lease ('' for
--         any), number of fields, names and values; '1' and a tally as `read_tally`
--         reads it, or '0'
--
-- returns text: '1' (stored), '0' (stale) or 'c' (to be cancelled) for each settlement

local SETTLED = {
  'state', 'origin', 'ready_at', 'attempt', 'crashes', 'fence', 'instance', 'lease_until',
  'started_at', 'finished_at', 'outcome', 'reason', 'error', 'result', 'log', 'progress',
  'progress_note', 'cancel_reason', 'attempts', 'count', 'until_time', 'keep_until',
}

local MAY_GO = {request = true}
for _, name in ipairs(SETTLED) do
  MAY_GO[name] = true
end

local caller, now = arg(), time_now()
local ended, is_ended = {}, {}

local function read_settlement()
  local asked = {id = arg(), state = arg(), fence = arg(), lease = arg()}
  asked.first, asked.last, asked.run = fields_ahead()
  asked.tally = arg() == '1' and read_tally() or nil
  return asked
end

-- All that is stored of a run; nil if it is not.
local function stored_run(run_id)
  local row = redis.call('HGETALL', run .. run_id)
  local stored = {}
  for place = 1, #row, 2 do
    stored[row[place]] = row[place + 1]
  end
  return #row > 0 and stored or nil
end

-- Whether the very same was written before, and its answer was lost.
local function is_applied(asked, stored)
  for _, name in ipairs(SETTLED) do
    if stored[name] ~= asked.run[name] then
      return false
    end
  end
  return true
end

local function write(asked, facts)
  local gone = {}
  for name in pairs(facts) do
    if MAY_GO[name] and not asked.run[name] then
      gone[#gone + 1] = name
    end
  end
  displace_run(asked.id, facts)
  if #gone > 0 then
    redis.call('HDEL', run .. asked.id, unpack(gone))
  end
  redis.call('HSET', run .. asked.id, unpack(ARGV, asked.first, asked.last))
  asked.run.job_id, asked.run.handler = facts.job_id, facts.handler
  asked.run.scheduled_time = facts.scheduled_time
  place_run(asked.id, asked.run)
  if asked.tally and job_text(asked.tally.job_id) then
    count_tally(asked.tally)
  end
  if asked.run.state == 'finished' and not is_ended[facts.job_id] then
    is_ended[facts.job_id] = true
    ended[#ended + 1] = facts.job_id
  end
end

local function verdict(asked)
  local facts = stored_run(asked.id)
  if not facts or not is_whole(facts) then
    return '0'
  end
  local is_seen = facts.state == asked.state and facts.fence == asked.fence
    and (asked.lease == '' or asked.lease == facts.lease_until)
  -- Said twice, what leaves the state as it is would be as seen both times.
  if (not is_seen or asked.run.state == asked.state) and is_applied(asked, facts) then
    return '1'
  end
  if not is_seen then
    return '0'
  end
  if asked.run.state ~= 'finished' and asked.run.cancel_reason ~= facts.cancel_reason then
    return 'c'
  end
  write(asked, facts)
  return '1'
end

local settlements, counted, verdicts = {}, {}, {}
for place = 1, tonumber(arg()) do
  local asked = read_settlement()
  settlements[place] = asked
  counted[#counted + 1] = asked.tally and asked.tally.job_id
end
read_texts(counted)
for place, asked in ipairs(settlements) do
  verdicts[place] = verdict(asked)
end
for _, job_id in ipairs(ended) do
  local text = job_text(job_id)
  local job = text and parsed(text) or nil
  if job and job.looks and redis.call('HEXISTS', quarantine, job_id) == 0 then
    look_now(job_id, text, job, now, job.version + 1)
    is_news = true
  end
end
write_later()
if is_news then
  redis.call('PUBLISH', hints, caller)
end
return table.concat(verdicts)
