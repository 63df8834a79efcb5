-- put_jobs: write each job whose stored version is the one that was seen.
--
-- uses    _told _jobs
-- keys    definitions job_ids hints
-- args    caller, number, is_repeat; count; for each: id, seen version, definition, standing
--
-- returns text: '1' (stored) or '0' (stale) for each job

local before = told_before()
if before then
  return before
end
local caller = ARGV[1]
local verdicts, is_changed = {}, false
for place = 1, tonumber(arg()) do
  local job_id, seen, definition, text = arg(), tonumber(arg()), arg(), arg()
  local old_text = redis.call('HGET', jobs, job_id)
  if version_of(old_text) ~= seen then
    verdicts[place] = '0'
  else
    write_job(job_id, old_text, text, parsed(text))
    redis.call('HSET', definitions, job_id, definition)
    if not old_text then
      score_later(job_ids, job_id, 0)
    end
    verdicts[place], is_changed = '1', true
  end
end
write_later()
if is_changed then
  redis.call('PUBLISH', hints, caller)
end
return tell(table.concat(verdicts))
