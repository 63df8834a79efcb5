-- meet: notice that this is not the server that was met last, and keep quiet for a while.
--
-- uses    _args
-- keys    met quiet
-- args    now; what the server calls its present life; how long to keep quiet, in
--         microseconds
--
-- returns until when nothing is claimed; '' if it is the one we know

local now, life, quiet_us = time_now(), arg(), tonumber(arg())
local before = redis.call('GET', met)
if before == life then
  return ''
end
redis.call('SET', met, life)
if not before then
  return ''
end
local ends = text_of(now + quiet_us)
redis.call('SET', quiet, ends, 'PX', math.ceil(quiet_us / 1000) + 1000)
return ends
