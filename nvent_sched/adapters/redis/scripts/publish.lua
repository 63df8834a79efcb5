-- publish: tell all instances; kept in a ring of bounded length.
--
-- uses    _told
-- keys    events
-- args    caller, number, is_repeat; now; most events to keep; count; for each: its text
--
-- returns text: the number of the last event

local before = told_before()
if before then
  return before
end
local now, kept_max = time_now(), arg()
local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
-- Made of the time: after a failover that lost some, no number is given twice.
local seq = math.max(last and tonumber(string.match(last[1], '^%d+')) or 0, now)
for _ = 1, tonumber(arg()) do
  seq = seq + 1
  redis.call('XADD', events, text_of(seq) .. '-1', 'e', arg())
end
redis.call('XTRIM', events, 'MAXLEN', '~', kept_max)
return tell(text_of(seq))
