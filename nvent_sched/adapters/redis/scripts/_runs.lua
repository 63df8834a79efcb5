-- _runs: where a run is looked for: each state has its places.
--
-- uses    _later
-- keys    run* run_ids live* past* kept ready* waiting held* holders cancels* handlers
-- args
--
-- returns nothing: a part of other scripts

local is_news = false -- something is ready that another instance could take

local RUN_FACTS = {
  'state', 'fence', 'job_id', 'handler', 'scheduled_time', 'ready_at', 'instance',
  'lease_until', 'keep_until', 'cancel_reason', 'request',
}

-- Whether what is stored of a run says where it is to be looked for.
local function is_whole(facts)
  if not (facts.job_id and facts.handler and tonumber(facts.scheduled_time)) then
    return false
  end
  if facts.state == 'claimed' then
    return facts.instance ~= nil and tonumber(facts.lease_until) ~= nil
  end
  if facts.state == 'ready' then
    return tonumber(facts.ready_at) ~= nil
  end
  if facts.state == 'finished' then
    return not facts.keep_until or tonumber(facts.keep_until) ~= nil
  end
  return facts.state == 'waiting'
end

-- nil for a run that does not exist, or of which so much is damaged that it has no place
local function run_facts(run_id)
  local values = redis.call('HMGET', run .. run_id, unpack(RUN_FACTS))
  local facts = {}
  for place, name in ipairs(RUN_FACTS) do
    facts[name] = values[place] or nil
  end
  return is_whole(facts) and facts or nil
end

local function place_run(run_id, facts)
  if facts.state == 'finished' then
    redis.call('ZADD', past .. facts.job_id, facts.scheduled_time, run_id)
    if facts.keep_until then
      score_later(kept, run_id, facts.keep_until)
    end
    return
  end
  redis.call('ZADD', live .. facts.job_id, facts.scheduled_time, run_id)
  if facts.state == 'ready' then
    score_later(ready .. facts.handler, run_id, facts.ready_at)
    add_member(handlers, facts.handler)
    is_news = true
  elseif facts.state == 'claimed' then
    score_later(held .. facts.instance, run_id, facts.lease_until)
    add_member(holders, facts.instance)
    if facts.cancel_reason then
      redis.call('HSET', cancels .. facts.instance, run_id, facts.cancel_reason)
    end
  else
    redis.call('SADD', waiting, run_id)
  end
end

local function displace_run(run_id, facts)
  if facts.state == 'finished' then
    redis.call('ZREM', past .. facts.job_id, run_id)
    score_later(kept, run_id, nil)
    return
  end
  redis.call('ZREM', live .. facts.job_id, run_id)
  if facts.state == 'ready' then
    score_later(ready .. facts.handler, run_id, nil)
  elseif facts.state == 'claimed' then
    score_later(held .. facts.instance, run_id, nil)
    if facts.cancel_reason then
      redis.call('HDEL', cancels .. facts.instance, run_id)
    end
  else
    redis.call('SREM', waiting, run_id)
  end
end

local function forget_run(run_id, facts)
  displace_run(run_id, facts)
  redis.call('DEL', run .. run_id)
  score_later(run_ids, run_id, nil)
end

-- The first reason given stays.
local function mark_cancelled(run_id, facts, reason)
  if not facts.cancel_reason then
    redis.call('HSET', run .. run_id, 'cancel_reason', reason)
    redis.call('HSET', cancels .. facts.instance, run_id, reason)
  end
end

-- Whether a run of the job is going, or about to.
local function is_active(job_id)
  for _, run_id in ipairs(redis.call('ZRANGE', live .. job_id, 0, -1)) do
    if redis.call('HGET', run .. run_id, 'state') ~= 'waiting' then
      return true
    end
  end
  return false
end
