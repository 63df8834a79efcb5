-- put_aside: put jobs that cannot be read into quarantine; their bytes are kept.
--
-- uses    _jobs
-- keys
-- args    count; for each: id, reason
--
-- returns nothing

for _ = 1, tonumber(arg()) do
  local job_id, reason = arg(), arg()
  local text = field_of(jobs, job_id)
  local job = text and parsed(text) or nil
  if text and redis.call('HSETNX', quarantine, job_id, reason) == 1 and job then
    unlist_job(job_id, job)
  end
end
write_later()
