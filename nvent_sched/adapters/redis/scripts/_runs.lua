-- _runs: where a run is looked for: each state has its places.
--
-- uses    _run_texts
-- keys    run_ids live job_runs kept ready* waiting held* holders cancels* handlers
-- args
--
-- returns nothing: a part of other scripts

local is_news = false -- something is ready that another instance could take

local function place_run(run_id, facts)
  if facts.state == 'finished' then
    if facts.keep_until ~= '' then
      score_later(kept, run_id, facts.keep_until)
    end
    return
  end
  score_later(live, place_in_job(run_id, facts), 0)
  if facts.state == 'ready' then
    score_later(ready .. facts.handler, run_id, facts.ready_at)
    add_member(handlers, facts.handler)
    is_news = true
  elseif facts.state == 'claimed' then
    score_later(held .. facts.instance, run_id, facts.lease_until)
    add_member(holders, facts.instance)
    if facts.cancel_reason ~= '' then
      redis.call('HSET', cancels .. facts.instance, run_id, facts.cancel_reason)
    end
  else
    redis.call('SADD', waiting, run_id)
  end
end

local function displace_run(run_id, facts)
  if facts.state == 'finished' then
    score_later(kept, run_id, nil)
    return
  end
  score_later(live, place_in_job(run_id, facts), nil)
  if facts.state == 'ready' then
    score_later(ready .. facts.handler, run_id, nil)
  elseif facts.state == 'claimed' then
    score_later(held .. facts.instance, run_id, nil)
    if facts.cancel_reason ~= '' then
      redis.call('HDEL', cancels .. facts.instance, run_id)
    end
  else
    redis.call('SREM', waiting, run_id)
  end
end

-- Write what a run has become, after it was taken from its old places.
local function put_run(run_id, facts)
  set_later(runs, run_id, text_of_run(facts))
  place_run(run_id, facts)
end

local function forget_text(run_id)
  score_later(run_ids, run_id, nil)
  for _, key in ipairs({runs, payloads, details}) do
    set_later(key, run_id, false)
  end
end

local function forget_run(run_id, facts)
  displace_run(run_id, facts)
  score_later(job_runs, place_in_job(run_id, facts), nil)
  forget_text(run_id)
end

-- Forget one of a job's that does not say any more where it is looked for.
local function forget_damaged(run_id, member)
  score_later(job_runs, member, nil)
  score_later(live, member, nil)
  forget_text(run_id)
end

-- The first reason given stays.
local function mark_cancelled(run_id, facts, reason)
  if facts.cancel_reason == '' then
    facts.cancel_reason = reason
    set_later(runs, run_id, text_of_run(facts))
    redis.call('HSET', cancels .. facts.instance, run_id, reason)
  end
end

-- Whether a run of the job is going, or about to.
local function is_active(job_id)
  write_scores(live)
  for _, member in ipairs(redis.call('ZRANGEBYLEX', live, bounds_of(job_id))) do
    local facts = run_facts(run_id_in(member, job_id))
    if not facts or facts.state ~= 'waiting' then
      return true
    end
  end
  return false
end
