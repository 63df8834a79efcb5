-- meet: notice that this is not the server that was met last, and keep quiet for a while.
--
-- uses    _quiet
-- keys    met
-- args    now
--
-- returns until when nothing is claimed; '' if claims may be made

local now = time_now()
local before = redis.call('GET', met)
if not before then
  remember_life()
elseif string.match(before, '^%x*') ~= run_id() then
  return keep_quiet(now)
end
return quiet_until(now) or ''
