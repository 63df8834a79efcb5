-- read_events: read events with a number above one; without it the last one.
--
-- uses    _args
-- keys    events
-- args    after ('' for the last one), limit
--
-- returns {number, text, ...}

local after, limit = arg(), arg()
local last = text_of(COUNTED_MAX) -- what has a higher number is no event of ours
local entries -- false if the limit is 0
if after == '' then
  entries = redis.call('XREVRANGE', events, last, '-', 'COUNT', 1)
else
  entries = redis.call('XRANGE', events, text_of(after + 1), last, 'COUNT', limit)
end
local reply = {}
for _, entry in ipairs(entries or {}) do
  reply[#reply + 1] = string.match(entry[1], '^%d+')
  reply[#reply + 1] = entry[2][2]
end
return reply
