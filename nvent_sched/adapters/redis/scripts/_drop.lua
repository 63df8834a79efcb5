-- _drop: forget a job with all that is its own; a CLAIMED run stays.
--
-- uses    _jobs _runs _tallies
-- keys    definitions job_ids
-- args
--
-- returns nothing: a part of other scripts

local function drop_job(job_id)
  local text = redis.call('HGET', jobs, job_id)
  if not text then
    return false
  end
  local was_aside = take_back(job_id)
  local job = parsed(text)
  if job and not was_aside then
    unlist_job(job_id, job)
  end
  redis.call('HDEL', jobs, job_id)
  redis.call('HDEL', definitions, job_id)
  redis.call('ZREM', job_ids, job_id)
  forget_tallies(job_id)
  for _, index in ipairs({live, past}) do
    for _, run_id in ipairs(redis.call('ZRANGE', index .. job_id, 0, -1)) do
      local facts = run_facts(run_id)
      if facts and facts.state ~= 'claimed' then
        forget_run(run_id, facts)
      elseif not facts then
        redis.call('DEL', run .. run_id)
        redis.call('ZREM', index .. job_id, run_id)
        score_later(run_ids, run_id, nil)
      end
    end
  end
  return true
end
