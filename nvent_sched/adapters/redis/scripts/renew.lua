-- renew: say that the instance lives, extend its leases, store progress.
--
-- uses    _runs
-- keys    instances beats
-- args    now; instance id, its text, lease in microseconds; count; for each: run id,
--         fence, '1' to extend, number of fields, names and values
--
-- returns {now, {ids of stale runs}, {run id, reason to cancel it, ...}}

local now, instance = time_now(), arg()
redis.call('HSET', instances, instance, arg())
redis.call('ZADD', beats, text_of(now), instance)
local lease_until = text_of(now + tonumber(arg()))
local stale = {}
for _ = 1, tonumber(arg()) do
  local run_id, seen_fence, extends = arg(), arg(), arg() == '1'
  local first, last = fields_ahead()
  local facts = run_facts(run_id)
  if not facts or facts.state ~= 'claimed' or facts.fence ~= seen_fence then
    stale[#stale + 1] = run_id
  else
    if extends then
      score_later(held .. facts.instance, run_id, lease_until)
      redis.call('HSET', run .. run_id, 'lease_until', lease_until, unpack(ARGV, first, last))
    elseif first <= last then
      redis.call('HSET', run .. run_id, unpack(ARGV, first, last))
    end
  end
end
write_later()
return {text_of(now), stale, redis.call('HGETALL', cancels .. instance)}
