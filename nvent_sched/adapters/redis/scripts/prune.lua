-- prune: forget FINISHED runs past their time, then the oldest of each job.
--
-- uses    _runs
-- keys
-- args    now; most runs a job may keep; limit; count; for each: job id
--
-- returns how many were forgotten

local now, runs_max, limit = time_now(), tonumber(arg()), tonumber(arg())
local forgotten = 0

local function forget(run_ids_found)
  for _, run_id in ipairs(run_ids_found) do
    local facts = run_facts(run_id)
    if facts then
      forget_run(run_id, facts)
      forgotten = forgotten + 1
    end
  end
end

forget(redis.call('ZRANGEBYSCORE', kept, '-inf', text_of(now), 'LIMIT', 0, limit))
for _ = 1, tonumber(arg()) do
  local index = past .. arg()
  local extra = math.min(redis.call('ZCARD', index) - runs_max, limit - forgotten)
  if extra > 0 then
    forget(redis.call('ZRANGE', index, 0, extra - 1))
  end
end
write_later()
return forgotten
