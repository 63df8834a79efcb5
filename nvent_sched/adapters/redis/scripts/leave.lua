-- leave: take the instance off the list: it ended in good order.
--
-- uses    _args
-- keys    instances beats hints
-- args    caller; instance id
--
-- returns nothing

local caller, instance = arg(), arg()
redis.call('ZREM', beats, instance)
if redis.call('HDEL', instances, instance) == 1 then
  redis.call('PUBLISH', hints, caller)
end
