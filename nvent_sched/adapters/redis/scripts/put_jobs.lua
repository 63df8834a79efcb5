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
local writes, wanted, verdicts, is_changed = {}, {}, {}, false
for place = 1, tonumber(arg()) do
  writes[place] = {id = arg(), seen = tonumber(arg()), definition = arg(), text = arg()}
  wanted[place] = writes[place].id
end
read_fields(jobs, wanted)
for place, write in ipairs(writes) do
  local job_id, definition, text = write.id, write.definition, write.text
  local old_text = field_of(jobs, job_id)
  if version_of(old_text) ~= write.seen then
    verdicts[place] = '0'
  else
    write_job(job_id, old_text, text, parsed(text))
    set_later(definitions, job_id, definition)
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
