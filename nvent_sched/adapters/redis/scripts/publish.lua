-- publish: tell all instances; kept in a ring of bounded length.
--
-- uses    _told
-- keys    events
-- args    caller, number, is_repeat; now; most events to keep; count; for each: its text
--
-- returns text: the number of the last event, after a '!' if the ring began anew

local before = told_before()
if before then
  return before
end
local now, kept_max = time_now(), arg()
local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
local number = last and counted(string.match(last[1], '^%d+'))
local began_anew = ''
if last and not number then
  -- It is no event of ours, and the server takes none with a lower number after it.
  redis.call('DEL', events)
  began_anew = '!'
end
-- Made of the time: after a failover that lost some, no number is given twice.
local seq = math.max(number or 0, now)
for _ = 1, tonumber(arg()) do
  seq = seq + 1
  redis.call('XADD', events, text_of(seq) .. '-1', 'e', arg())
end
redis.call('XTRIM', events, 'MAXLEN', '~', kept_max)
return tell(began_anew .. text_of(seq))
