-- read_locks: list locks that somebody has, those that end first before others.
--
-- uses    _locks
-- keys
-- args    now; limit
--
-- returns {name, holder, fence, since, until, how many wait} for each

local now, limit = time_now(), arg()
local reply = {}
local names = redis.call('ZRANGEBYSCORE', lock_ends, '(' .. text_of(now), '+inf',
  'LIMIT', 0, limit)
for _, name in ipairs(names) do
  local hold = stored_hold(name)
  if hold.ticket then -- what was damaged is told by `check`
    reply[#reply + 1] = {
      name, hold.holder, hold.fence, hold.since,
      text_of(math.min(hold.ends, now + hold.ttl)),
      redis.call('ZCARD', lock_queue .. name),
    }
  end
end
return reply
