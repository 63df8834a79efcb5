-- _heads: the first of several sorted sets together, in the order of time, then id.
--
-- uses    _args
-- keys
-- args
--
-- returns nothing: a part of other scripts

local function by_time(one, other)
  if one.at ~= other.at then
    return one.at < other.at
  end
  return is_before(one.id, other.id)
end

local function read_list()
  local list = {}
  for _ = 1, tonumber(arg()) do
    list[#list + 1] = arg()
  end
  return list
end

-- The time of the first entry of all; nil for none.
local function first_at(beginning, names)
  local first
  for _, name in ipairs(names) do
    local head = redis.call('ZRANGE', beginning .. name, 0, 0, 'WITHSCORES')
    if head[2] and (not first or tonumber(head[2]) < first) then
      first = tonumber(head[2])
    end
  end
  return first
end

-- What is at or before a time, and the time of the first entry that is left.
local function first_of(beginning, names, until_at, limit)
  local found, lists, first_left = {}, 0, nil
  local function leave(at)
    if not first_left or at < first_left then
      first_left = at
    end
  end
  local seen = {}
  for _, name in ipairs(names) do
    local head = redis.call('ZRANGE', beginning .. name, 0, 0, 'WITHSCORES')
    if head[2] and tonumber(head[2]) > until_at then
      leave(tonumber(head[2]))
    elseif head[2] and not seen[name] then
      seen[name] = true
      local key, last = beginning .. name, text_of(until_at)
      local entries = redis.call(
        'ZRANGEBYSCORE', key, '-inf', last, 'WITHSCORES', 'LIMIT', 0, limit + 1
      )
      lists = lists + 1
      for place = 1, #entries, 2 do
        found[#found + 1] = {id = entries[place], at = tonumber(entries[place + 1]), name = name}
      end
      local later = redis.call(
        'ZRANGEBYSCORE', key, '(' .. last, '+inf', 'WITHSCORES', 'LIMIT', 0, 1
      )
      if later[2] then
        leave(tonumber(later[2]))
      end
    end
  end
  if lists > 1 then -- each by itself is in this order
    table.sort(found, by_time)
  end
  local taken = {}
  for place, entry in ipairs(found) do
    if place <= limit then
      taken[place] = entry
    else
      leave(entry.at)
      break
    end
  end
  return taken, first_left
end
