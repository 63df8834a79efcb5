-- settle: write what became of each run whose state and fence are those seen.
--
-- uses    _runs _jobs _tallies
-- keys    hints
-- args    caller; now; count; for each: run id, seen state, seen fence, seen lease ('' for
--         any), its text, its details ('' for none); '1' and a tally as `read_tally`
--         reads it, or '0'
--
-- returns text: '1' (stored), '0' (stale) or 'c' (to be cancelled) for each settlement

local caller, now = arg(), time_now()
local ended, is_ended = {}, {}

local function read_settlement()
  local asked = {id = arg(), state = arg(), fence = arg(), lease = arg()}
  asked.text, asked.details = arg(), arg()
  asked.tally = arg() == '1' and read_tally() or nil
  return asked
end

-- Whether the very same was written before, and its answer was lost.
local function is_applied(asked, facts)
  facts.request = ''
  local stored = facts.detailed == '1' and field_of(details, asked.id) or ''
  return text_of_run(facts) == asked.text and stored == asked.details
end

local function write(asked, facts, became)
  displace_run(asked.id, facts)
  set_later(runs, asked.id, asked.text)
  place_run(asked.id, became)
  if asked.details ~= '' then
    set_later(details, asked.id, asked.details)
  elseif facts.detailed == '1' then
    set_later(details, asked.id, false)
  end
  if asked.tally and field_of(jobs, asked.tally.job_id) then
    count_tally(asked.tally)
  end
  if became.state == 'finished' and not is_ended[facts.job_id] then
    is_ended[facts.job_id] = true
    ended[#ended + 1] = facts.job_id
  end
end

local function verdict(asked)
  local facts, became = run_facts(asked.id), facts_in(asked.text)
  if not facts then
    return '0'
  end
  local is_seen = facts.state == asked.state and facts.fence == asked.fence
    and (asked.lease == '' or asked.lease == facts.lease_until)
  -- Said twice, what leaves the state as it is would be as seen both times.
  if (not is_seen or became.state == asked.state) and is_applied(asked, facts) then
    return '1'
  end
  if not is_seen then
    return '0'
  end
  if became.state ~= 'finished' and became.cancel_reason ~= facts.cancel_reason then
    return 'c'
  end
  write(asked, facts, became)
  return '1'
end

local settlements, run_ids_asked, job_ids_asked, verdicts = {}, {}, {}, {}
for place = 1, tonumber(arg()) do
  local asked = read_settlement()
  settlements[place], run_ids_asked[place] = asked, asked.id
  job_ids_asked[#job_ids_asked + 1] = asked.tally and asked.tally.job_id
end
read_fields(runs, run_ids_asked)
read_fields(jobs, job_ids_asked)
for place, asked in ipairs(settlements) do
  verdicts[place] = verdict(asked)
end
for _, job_id in ipairs(ended) do
  local text = field_of(jobs, job_id)
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
