-- _locks: who has a lock, and who waits for it in what order.
--
-- uses    _args
-- keys    locks lock_ends lock_queue* lock_places
-- args
--
-- returns nothing: a part of other scripts

local PART = '\31'
local HOLD = '^(%d+)\31(%d+)\31(%d+)\31([^\31]*)\31(.*)$'

local DAMAGED = 'somebody: the record is damaged'

-- What is stored of a hold, whether or not it has ended; nil for none. One that was damaged
-- is nobody's: it has no ticket, no length, and maybe no end.
local function stored_hold(name)
  local text = redis.call('HGET', locks, name)
  local ends = tonumber(redis.call('ZSCORE', lock_ends, name))
  if not text and not ends then
    return nil
  end
  local fence_held, since, ttl, ticket, holder = string.match(text or '', HOLD)
  if not (counted(fence_held) and counted(since) and counted(ttl)) then
    return {holder = DAMAGED, ends = ends}
  end
  return {
    fence = fence_held, since = since, ttl = tonumber(ttl), ticket = ticket,
    holder = holder, ends = ends,
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
