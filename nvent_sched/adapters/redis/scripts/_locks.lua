-- _locks: who has a lock, and who waits for it in what order.
--
-- uses    _args
-- keys    locks lock_ends lock_queue* lock_places
-- args
--
-- returns nothing: a part of other scripts

local PART = '\31'
local HOLD = '^(%d+)\31(%d+)\31(%d+)\31([^\31]*)\31(.*)$'

-- What is stored of a hold, whether or not it has ended; nil for none.
local function stored_hold(name)
  local text = redis.call('HGET', locks, name)
  if not text then
    return nil
  end
  local fence_held, since, ttl, ticket, holder = string.match(text, HOLD)
  return {
    fence = fence_held, since = since, ttl = tonumber(ttl), ticket = ticket,
    holder = holder, ends = tonumber(redis.call('ZSCORE', lock_ends, name)),
  }
end

local function store_hold(name, hold)
  local row = {hold.fence, hold.since, text_of(hold.ttl), hold.ticket, hold.holder}
  redis.call('HSET', locks, name, table.concat(row, PART))
  redis.call('ZADD', lock_ends, text_of(hold.ends), name)
end

local function forget_hold(name)
  redis.call('HDEL', locks, name)
  redis.call('ZREM', lock_ends, name)
end

local function leave_queue(name, ticket)
  redis.call('ZREM', lock_queue .. name, ticket)
  return redis.call('ZREM', lock_places, name .. PART .. ticket) == 1
end
