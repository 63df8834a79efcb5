-- drop_jobs: forget jobs with their statistics, history and runs nobody has claimed.
--
-- uses    _told _drop
-- keys    hints
-- args    caller, number, is_repeat; count; for each: id
--
-- returns text: '1' (it existed) or '0' for each job

local before = told_before()
if before then
  return before
end
local caller = ARGV[1]
local verdicts, is_changed = {}, false
for place = 1, tonumber(arg()) do
  local existed = drop_job(arg())
  verdicts[place] = existed and '1' or '0'
  is_changed = is_changed or existed
end
write_later()
if is_changed then
  redis.call('PUBLISH', hints, caller)
end
return tell(table.concat(verdicts))
