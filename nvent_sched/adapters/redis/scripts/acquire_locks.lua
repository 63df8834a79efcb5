-- acquire_locks: give each lock that is free to whoever asks first, and queue the others.
--
-- uses    _locks _fences _quiet
-- keys
-- args    now; count; for each: name, ticket, holder, ttl and length of a place in the
--         queue (0 for no place) in microseconds
--
-- returns {now, {fence, since} or {holder, since ('' for free), until, ahead}, ...}

local SWEPT_MAX = 1000
local ENDED_KEPT = 7 * 24 * 3600 * 1000000 -- so long may a hold that ended be renewed
local ON_ITS_WAY_MAX = 60 * 1000000 -- a question may be so late, as in the other stores
local PLACE_MAX = 3600 * 1000000 -- for who takes no place and cannot know

local now = time_now()
local quiet_ends = quiet_until(now)

local function sweep()
  local ended = redis.call('ZRANGEBYSCORE', lock_places, '-inf', text_of(now),
    'LIMIT', 0, SWEPT_MAX)
  for _, place in ipairs(ended) do
    local name, ticket = string.match(place, '^([^\31]*)\31(.*)$')
    if name then
      leave_queue(name, ticket)
    end
    redis.call('ZREM', lock_places, place) -- also one that was damaged
  end
  local old = redis.call('ZRANGEBYSCORE', lock_ends, '-inf', text_of(now - ENDED_KEPT),
    'LIMIT', 0, SWEPT_MAX)
  for _, name in ipairs(old) do
    forget_hold(name)
  end
end

-- Who has it. A hold that was damaged is kept like one of who asks.
local function hold_of(name, ttl)
  local hold = stored_hold(name)
  if not hold then
    return nil
  end
  local length = hold.ttl or ttl
  if not hold.ends or hold.ends > now + length + ON_ITS_WAY_MAX then -- the clock was set back
    hold.ends = now + length
    redis.call('ZADD', lock_ends, text_of(hold.ends), name)
  end
  return hold.ends > now and hold or nil
end

local function join_queue(name, ticket, place_ends)
  local queue = lock_queue .. name
  if not redis.call('ZSCORE', queue, ticket) then
    local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')
    redis.call('ZADD', queue, tonumber(last[2] or '0') + 1, ticket)
  end
  redis.call('ZADD', lock_places, text_of(place_ends), name .. PART .. ticket)
end

-- Who is first in a queue, and until when; the places of who died are taken away.
local function first_in_queue(name, longest)
  while true do
    local ticket = redis.call('ZRANGE', lock_queue .. name, 0, 0)[1]
    if not ticket then
      return nil
    end
    local place = name .. PART .. ticket
    local ends = tonumber(redis.call('ZSCORE', lock_places, place) or '0')
    if ends > longest then -- the clock was set back
      ends = longest
      redis.call('ZADD', lock_places, text_of(ends), place)
    end
    if ends > now then
      return ticket, ends
    end
    leave_queue(name, ticket)
  end
end

local function acquire(name, ticket, holder, ttl, place_us)
  local hold = hold_of(name, ttl)
  if hold and hold.ticket == ticket then
    hold.ends, hold.ttl = now + ttl, ttl
    store_hold(name, hold)
    return {hold.fence, hold.since}
  end
  if place_us > 0 then
    join_queue(name, ticket, now + place_us)
  end
  local longest = place_us > 0 and place_us or PLACE_MAX
  local first, first_ends = first_in_queue(name, now + longest)
  if not hold and not quiet_ends and (not first or first == ticket) then
    leave_queue(name, ticket)
    local row = {fence = next_fence(now), since = text_of(now), ticket = ticket}
    row.ttl, row.ends, row.holder = ttl, now + ttl, holder
    store_hold(name, row)
    return {row.fence, row.since}
  end
  local ahead = redis.call('ZRANK', lock_queue .. name, ticket)
    or redis.call('ZCARD', lock_queue .. name)
  if hold then
    return {hold.holder, hold.since or text_of(now), text_of(hold.ends), ahead}
  end
  return {'', '', quiet_ends or text_of(first_ends), ahead}
end

sweep()
local reply = {text_of(now)}
for _ = 1, tonumber(arg()) do
  local name, ticket, holder = arg(), arg(), arg()
  local ttl, place_us = tonumber(arg()), tonumber(arg())
  reply[#reply + 1] = acquire(name, ticket, holder, ttl, place_us)
end
keep_fence()
return reply
