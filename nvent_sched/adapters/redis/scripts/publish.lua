-- publish: tell all instances; kept in a ring of bounded length.
--
-- uses    _told
-- keys    events
-- args    caller, number, is_repeat; now; most events to keep; count; for each: its text
--
-- returns text: the number of the last event, after a '!' if the ring began anew

local TOGETHER = 32 -- events in one entry: the stream need not be written to for each

local before = told_before()
if before then
  return before
end
local now, kept_max, count = time_now(), tonumber(arg()), tonumber(arg())
local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
local number = last and counted(string.match(last[1], '^%d+'))
local began_anew = ''
if last and not number then
  -- It is no event of ours, and the server takes none with a lower number after it.
  redis.call('DEL', events)
  began_anew = '!'
end

-- An entry is known by the number of its last event and by how many there were until then.
local function told_until(entry)
  return counted(string.match(entry[1], '%d+$')) or 0
end

-- Made of the time: after a failover that lost some, no number is given twice.
local seq, told_count = math.max(number or 0, now), number and told_until(last) or 0
local added = 0
for first = 1, count, TOGETHER do
  local texts, size = {}, math.min(TOGETHER, count - first + 1)
  for place = 1, size do
    texts[2 * place - 1], texts[2 * place] = 'e', arg()
  end
  seq, told_count, added = seq + size, told_count + size, added + 1
  redis.call('XADD', events, text_of(seq) .. '-' .. text_of(told_count), unpack(texts))
end

-- As many entries may have become too old as were added, or more where each held less.
local too_old, start, looked = 0, '-', 0
repeat
  local entries = redis.call('XRANGE', events, start, '+', 'COUNT', added + 1)
  looked = looked + #entries
  for _, entry in ipairs(entries) do
    too_old = told_until(entry) <= told_count - kept_max and too_old + 1 or too_old
    start = '(' .. entry[1]
  end
until #entries == 0 or too_old < looked
redis.call('XTRIM', events, 'MAXLEN', redis.call('XLEN', events) - too_old)
return tell(began_anew .. text_of(seq))
