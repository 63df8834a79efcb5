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
  local run_id, seen_fence, extends, row = arg(), arg(), arg() == '1', {}
  for _ = 1, 2 * tonumber(arg()) do
    row[#row + 1] = arg()
  end
  local facts = run_facts(run_id)
  if not facts or facts.state ~= 'claimed' or facts.fence ~= seen_fence then
    stale[#stale + 1] = run_id
  else
    if extends then
      row[#row + 1] = 'lease_until'
      row[#row + 1] = lease_until
      score_later(held .. facts.instance, run_id, lease_until)
    end
    if #row > 0 then
      redis.call('HSET', run .. run_id, unpack(row))
    end
  end
end
write_later()
return {text_of(now), stale, redis.call('HGETALL', cancels .. instance)}
