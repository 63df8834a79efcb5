-- summary: count what there is.
--
-- uses    _jobs
-- keys    definitions job_ids run_ids ready* waiting held* holders fence schema
-- args    now
--
-- returns {{status, jobs, ...}, waiting, ready, claimed, all runs, oldest look of an
--         active job ('' for none), {handler, how much waits for it, ...},
--         {job id, reason, ...}, {jobs, definitions, listed ids}, last fence, schema}

local LOOKED_AT_MAX = 1000

local function text_at(key)
  local text = redis.pcall('GET', key)
  return type(text) == 'table' and 'of another kind' or text or ''
end

local now = time_now()
local ready_runs, held_runs, oldest, waits = 0, 0, nil, {}

local function oldest_of(handler)
  local entries = redis.call('ZRANGE', due .. handler, 0, LOOKED_AT_MAX - 1, 'WITHSCORES')
  for place = 1, #entries, 2 do
    local job = parsed(redis.call('HGET', jobs, entries[place]) or '')
    if job and job.status == 'active' then
      return tonumber(entries[place + 1])
    end
  end
end

for _, handler in ipairs(redis.call('SMEMBERS', handlers)) do
  ready_runs = ready_runs + redis.call('ZCARD', ready .. handler)
  local count = redis.call('ZCOUNT', due .. handler, '-inf', text_of(now))
    + redis.call('ZCOUNT', ready .. handler, '-inf', text_of(now))
  if count > 0 then
    waits[#waits + 1] = handler
    waits[#waits + 1] = count
  end
  local look = oldest_of(handler)
  if look and (not oldest or look < oldest) then
    oldest = look
  end
  if redis.call('EXISTS', due .. handler, ready .. handler) == 0 then
    redis.call('SREM', handlers, handler)
  end
end
for _, instance in ipairs(redis.call('SMEMBERS', holders)) do
  held_runs = held_runs + redis.call('ZCARD', held .. instance)
end
return {
  redis.call('HGETALL', statuses), redis.call('SCARD', waiting), ready_runs, held_runs,
  redis.call('ZCARD', run_ids), oldest and text_of(oldest) or '', waits,
  redis.call('HGETALL', quarantine),
  {redis.call('HLEN', jobs), redis.call('HLEN', definitions), redis.call('ZCARD', job_ids)},
  text_at(fence), text_at(schema),
}
