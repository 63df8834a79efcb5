-- read_events: read events with a number above one; without it the last one.
--
-- uses    _args
-- keys    events
-- args    after ('' for the last one), limit
--
-- returns {number, text, ...}

local AT_A_TIME = 16 -- entries

local after, limit = arg(), tonumber(arg())
local last = text_of(COUNTED_MAX) -- what has a higher number is no event of ours
local reply = {}

-- An entry is known by the number of its last event.
local function give(entry, first_wanted)
  local number, texts = tonumber(string.match(entry[1], '^%d+')), entry[2]
  for place = 2, #texts, 2 do
    local seq = number - (#texts - place) / 2
    if seq >= first_wanted and #reply < 2 * limit then
      reply[#reply + 1] = text_of(seq)
      reply[#reply + 1] = texts[place]
    end
  end
  return number
end

if after == '' then
  -- Some more: the very last may be of a newer release than who asks.
  local entries = redis.call('XREVRANGE', events, last, '-', 'COUNT', AT_A_TIME)
  limit = math.huge
  for place = #entries, 1, -1 do
    give(entries[place], 0)
  end
  return reply
end
local first_wanted, start = after + 1, text_of(after + 1)
repeat
  local entries = redis.call('XRANGE', events, start, last, 'COUNT', AT_A_TIME)
  for _, entry in ipairs(entries) do
    give(entry, first_wanted)
    start = '(' .. entry[1]
  end
until #entries < AT_A_TIME or #reply >= 2 * limit
return reply
