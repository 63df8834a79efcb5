-- _drop: forget a job with all that is its own; a CLAIMED run stays.
--
-- uses    _jobs _runs _tallies
-- keys    definitions job_ids
-- args
--
-- returns nothing: a part of other scripts

local function drop_job(job_id)
  local text = field_of(jobs, job_id)
  if not text then
    return false
  end
  local was_aside = take_back(job_id)
  local job = parsed(text)
  if job and not was_aside then
    unlist_job(job_id, job)
  end
  set_later(jobs, job_id, false)
  set_later(definitions, job_id, false)
  score_later(job_ids, job_id, nil)
  forget_tallies(job_id)
  write_scores(job_runs)
  for _, member in ipairs(redis.call('ZRANGEBYLEX', job_runs, bounds_of(job_id))) do
    local run_id = run_id_in(member, job_id)
    local facts = run_facts(run_id)
    if facts and facts.state ~= 'claimed' then
      forget_run(run_id, facts)
    elseif not facts then
      forget_damaged(run_id, member)
    end
  end
  return true
end
