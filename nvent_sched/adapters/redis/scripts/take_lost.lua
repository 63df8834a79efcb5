-- take_lost: find CLAIMED runs whose lease ended or whose instance is dead.
--
-- uses    _run_texts _heads
-- keys    held* holders instances beats
-- args    now; age in microseconds of a heartbeat that means death; limit
--
-- returns {now, {ids of the dead that left the list}, oldest heartbeat of those that live
--         ('' for none), {run id, text, arguments, details}, ...}

local now, dead_after, limit = time_now(), tonumber(arg()), tonumber(arg())
local alive, listed, oldest = {}, {}, ''
local heard = redis.call('ZRANGE', beats, 0, -1, 'WITHSCORES')
for place = 1, #heard, 2 do
  listed[#listed + 1] = heard[place]
  alive[heard[place]] = now - tonumber(heard[place + 1]) <= dead_after
  if alive[heard[place]] and oldest == '' then
    oldest = text_of(tonumber(heard[place + 1]))
  end
end

local found = {}
for _, instance in ipairs(redis.call('SMEMBERS', holders)) do
  local last = alive[instance] and text_of(now) or '+inf'
  local entries = redis.call('ZRANGEBYSCORE', held .. instance, '-inf', last,
    'WITHSCORES', 'LIMIT', 0, limit + 1)
  for place = 1, #entries, 2 do
    found[#found + 1] = {
      id = entries[place], at = tonumber(entries[place + 1]), instance = instance,
    }
  end
  if #entries == 0 and redis.call('EXISTS', held .. instance) == 0 then
    redis.call('SREM', holders, instance)
  end
end
table.sort(found, by_time)

local reply, has_left, lost_ids = {text_of(now), {}, oldest}, {}, {}
for place, entry in ipairs(found) do
  if place <= limit then
    lost_ids[place] = entry.id
  else
    has_left[entry.instance] = true
  end
end
for _, row in ipairs(rows_of(lost_ids)) do
  reply[#reply + 1] = row
end
for _, instance in ipairs(listed) do
  if not alive[instance] and not has_left[instance] then
    redis.call('ZREM', beats, instance)
    redis.call('HDEL', instances, instance)
    table.insert(reply[2], instance)
  end
end
return reply
