-- _later: gather what is written to indexes, and write each of them in one go at the end.
--
-- uses    _args
-- keys
-- args
--
-- returns nothing: a part of other scripts

local AT_ONCE = 2000 -- how many arguments one command is given, at most

local scores_later, counts_later, members_added = {}, {}, {}

-- score: nil takes the member out. What is gathered must not be read before it is written.
local function score_later(key, member, score)
  local scores = scores_later[key]
  if not scores then
    scores = {}
    scores_later[key] = scores
  end
  scores[member] = score or false
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

local function call_with(command, key, list)
  for first = 1, #list, AT_ONCE do
    redis.call(command, key, unpack(list, first, math.min(first + AT_ONCE - 1, #list)))
  end
end

local function write_later()
  for key, scores in pairs(scores_later) do
    local scored, gone = {}, {}
    for member, score in pairs(scores) do
      if score then
        scored[#scored + 1] = score
        scored[#scored + 1] = member
      else
        gone[#gone + 1] = member
      end
    end
    call_with('ZADD', key, scored)
    call_with('ZREM', key, gone)
  end
  for key, counts in pairs(counts_later) do
    for field, count in pairs(counts) do
      if count ~= 0 and redis.call('HINCRBY', key, field, count) == 0 then
        redis.call('HDEL', key, field)
      end
    end
  end
  scores_later, counts_later = {}, {}
end
