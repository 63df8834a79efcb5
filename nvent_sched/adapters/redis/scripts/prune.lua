-- prune: forget FINISHED runs past their time, then the oldest of each job.
--
-- uses    _runs
-- keys
-- args    now; most runs a job may keep; limit; count; for each: job id
--
-- returns how many were forgotten

local now, runs_max, limit = time_now(), tonumber(arg()), tonumber(arg())
local forgotten = 0

local function forget(run_id)
  local facts = run_facts(run_id)
  if facts and facts.state == 'finished' then
    forget_run(run_id, facts)
    forgotten = forgotten + 1
  end
end

-- What was damaged has its time as well: it must not stand before the others for ever.
local function forget_in_time(run_id)
  if run_facts(run_id) then
    forget(run_id)
  else
    score_later(kept, run_id, nil)
    forget_text(run_id)
    forgotten = forgotten + 1
  end
end

local ended = redis.call('ZRANGEBYSCORE', kept, '-inf', text_of(now), 'LIMIT', 0, limit)
read_fields(runs, ended)
for _, run_id in ipairs(ended) do
  forget_in_time(run_id)
end
write_later()

-- Of a job that has too many; those that live are not counted, nor forgotten.
for _ = 1, tonumber(arg()) do
  local job_id = arg()
  local first, last = bounds_of(job_id)
  local going = redis.call('ZLEXCOUNT', live, first, last)
  local extra = redis.call('ZLEXCOUNT', job_runs, first, last) - going - runs_max
  local left = math.min(extra, limit - forgotten)
  if left > 0 then
    local until_forgotten = forgotten + left
    local oldest = redis.call(
      'ZRANGEBYLEX', job_runs, first, last, 'LIMIT', 0, left + going
    )
    for _, member in ipairs(oldest) do
      local run_id = run_id_in(member, job_id)
      if not field_of(runs, run_id) then
        forget_damaged(run_id, member)
      elseif forgotten < until_forgotten then
        forget(run_id)
      end
    end
  end
end
write_later()
return forgotten
