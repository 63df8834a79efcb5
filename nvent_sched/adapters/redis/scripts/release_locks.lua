-- release_locks: give back locks that tickets have, and places that they take.
--
-- uses    _locks
-- keys    hints
-- args    caller; count; for each: name, ticket
--
-- returns nothing

local caller, matters = arg(), false
for _ = 1, tonumber(arg()) do
  local name, ticket = arg(), arg()
  local hold = stored_hold(name)
  local was_there = leave_queue(name, ticket)
  if hold and hold.ticket == ticket then
    forget_hold(name)
    was_there = true
  end
  if was_there and redis.call('EXISTS', lock_queue .. name) == 1 then
    matters = true
  end
end
if matters then
  redis.call('PUBLISH', hints, caller)
end
