-- read_facts: read what a plan for these jobs needs, due or not.
--
-- uses    _facts
-- keys    quarantine
-- args    count; for each: id
--
-- returns the facts of each job that exists and is not in quarantine

local wanted = {}
for _ = 1, tonumber(arg()) do
  local job_id = arg()
  if redis.call('HEXISTS', quarantine, job_id) == 0 then
    wanted[#wanted + 1] = job_id
  end
end
return facts_of(wanted)
