-- take_lost: find CLAIMED runs whose lease ended or whose instance is dead.
--
-- uses    _told _run_texts _heads
-- keys    held* holders instances beats
-- args    caller, number, is_repeat; now; age in microseconds of a heartbeat that means death; limit
--
-- returns {now, {ids of the dead that left the list}, oldest heartbeat of those that live
--         ('' for none), {run id, text, arguments, details}, ...}

-- Who has left the list is told by no later call: it is told again if the reply was lost.
local told_dead = told_before() or ''
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
local is_claimed = {}
for _, row in ipairs(rows_of(lost_ids)) do
  local facts = facts_in(row[2])
  is_claimed[row[1]] = facts and facts.state == 'claimed'
  if is_claimed[row[1]] then
    reply[#reply + 1] = row
  end
end
-- What is damaged must not stand before the others again; `summary` tells.
for place, run_id in ipairs(lost_ids) do
  if not is_claimed[run_id] then
    redis.call('ZREM', held .. found[place].instance, run_id)
  end
end
for instance in string.gmatch(told_dead, '[^\31]+') do
  table.insert(reply[2], instance)
end
for _, instance in ipairs(listed) do
  if not alive[instance] and not has_left[instance] then
    redis.call('ZREM', beats, instance)
    redis.call('HDEL', instances, instance)
    table.insert(reply[2], instance)
  end
end
tell(table.concat(reply[2], '\31'))
return reply
