-- _later: gather what is written, and write each key in one go at the end.
--
-- uses    _args
-- keys
-- args
--
-- returns nothing: a part of other scripts

local AT_ONCE = 2000 -- how many arguments one command is given, at most

local scored_later, gone_later, counts_later, members_added = {}, {}, {}, {}
local fields_known, fields_later = {}, {}

-- score: nil takes the member out. What is gathered must not be read before it is written.
local function score_later(key, member, score)
  local scored, gone = scored_later[key], gone_later[key]
  if not scored then
    scored, gone = {count = 0}, {}
    scored_later[key], gone_later[key] = scored, gone
  end
  if not score then
    gone[member] = true
    return
  end
  local count = scored.count
  scored[count + 1], scored[count + 2] = score, member -- of several scores the last holds
  scored.count, gone[member] = count + 2, nil
end

local function count_later(key, field, count)
  local counts = counts_later[key]
  if not counts then
    counts = {}
    counts_later[key] = counts
  end
  counts[field] = (counts[field] or 0) + count
end

local function add_member(key, member)
  local added = members_added[key]
  if not added then
    added = {}
    members_added[key] = added
  end
  if not added[member] then
    added[member] = true
    redis.call('SADD', key, member)
  end
end

local function known_of(key)
  local known = fields_known[key]
  if not known then
    known = {}
    fields_known[key], fields_later[key] = known, {}
  end
  return known
end

-- Read fields that will be asked for, in one go.
local function read_fields(key, fields)
  local known = known_of(key)
  for first = 1, #fields, AT_ONCE do
    local last = math.min(first + AT_ONCE - 1, #fields)
    for place, value in ipairs(redis.call('HMGET', key, unpack(fields, first, last))) do
      local field = fields[first + place - 1]
      if known[field] == nil then
        known[field] = value
      end
    end
  end
end

-- As it will be once all is written; false for none.
local function field_of(key, field)
  local known = known_of(key)
  if known[field] == nil then
    known[field] = redis.call('HGET', key, field)
  end
  return known[field]
end

-- value: false takes the field out
local function set_later(key, field, value)
  known_of(key)[field] = value
  local later = fields_later[key]
  later[#later + 1] = field
end

local function call_with(command, key, list, count)
  for first = 1, count, AT_ONCE do
    redis.call(command, key, unpack(list, first, math.min(first + AT_ONCE - 1, count)))
  end
end

local function write_scores(key)
  local scored, gone, count = scored_later[key], {}, 0
  if not scored then
    return
  end
  for member in pairs(gone_later[key]) do
    count = count + 1
    gone[count] = member
  end
  call_with('ZADD', key, scored, scored.count)
  call_with('ZREM', key, gone, count)
  scored_later[key], gone_later[key] = nil, nil
end

local function write_fields(key)
  local known, written, written_count, gone, gone_count = fields_known[key], {}, 0, {}, 0
  for _, field in ipairs(fields_later[key]) do
    local value = known[field]
    if value then
      written[written_count + 1], written[written_count + 2] = field, value
      written_count = written_count + 2
    else
      gone_count = gone_count + 1
      gone[gone_count] = field
    end
  end
  call_with('HSET', key, written, written_count)
  call_with('HDEL', key, gone, gone_count)
  fields_later[key] = {}
end

local function write_later()
  for key in pairs(fields_later) do
    write_fields(key)
  end
  for key in pairs(scored_later) do
    write_scores(key)
  end
  for key, counts in pairs(counts_later) do
    for field, count in pairs(counts) do
      local sum = count ~= 0 and redis.pcall('HINCRBY', key, field, count)
      if type(sum) == 'table' then -- it was damaged, and begins anew
        redis.call('HSET', key, field, math.max(0, count))
      elseif sum == 0 then
        redis.call('HDEL', key, field)
      end
    end
  end
  counts_later = {}
end
