-- _runs: where a run is looked for: each state has its places.
--
-- uses    _args
-- keys    run* run_ids live* past* kept ready* waiting held* holders cancels* handlers
-- args
--
-- returns nothing: a part of other scripts

local is_news = false -- something is ready that another instance could take

local RUN_FACTS = {
  'state', 'job_id', 'handler', 'scheduled_time', 'ready_at', 'fence', 'instance',
  'lease_until', 'keep_until', 'cancel_reason', 'request',
}

local function run_facts(run_id)
  local values = redis.call('HMGET', run .. run_id, unpack(RUN_FACTS))
  if not values[1] then
    return nil
  end
  local facts = {}
  for place, name in ipairs(RUN_FACTS) do
    facts[name] = values[place] or nil
  end
  return facts
end

local function place_run(run_id, facts)
  if facts.state == 'finished' then
    redis.call('ZADD', past .. facts.job_id, facts.scheduled_time, run_id)
    if facts.keep_until then
      redis.call('ZADD', kept, facts.keep_until, run_id)
    end
    return
  end
  redis.call('ZADD', live .. facts.job_id, facts.scheduled_time, run_id)
  if facts.state == 'ready' then
    redis.call('ZADD', ready .. facts.handler, facts.ready_at, run_id)
    redis.call('SADD', handlers, facts.handler)
    is_news = true
  elseif facts.state == 'claimed' then
    redis.call('ZADD', held .. facts.instance, facts.lease_until, run_id)
    redis.call('SADD', holders, facts.instance)
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
    redis.call('ZREM', kept, run_id)
    return
  end
  redis.call('ZREM', live .. facts.job_id, run_id)
  if facts.state == 'ready' then
    redis.call('ZREM', ready .. facts.handler, run_id)
  elseif facts.state == 'claimed' then
    redis.call('ZREM', held .. facts.instance, run_id)
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
  redis.call('ZREM', run_ids, run_id)
end

-- The first reason given stays.
local function mark_cancelled(run_id, facts, reason)
  if not facts.cancel_reason then
    redis.call('HSET', run .. run_id, 'cancel_reason', reason)
    redis.call('HSET', cancels .. facts.instance, run_id, reason)
  end
end
