-- witness: write something that replicas can be waited for, and read what they shall have.
--
-- uses    _args
-- keys    runs witnessed
-- args    for how many milliseconds it is kept; count; for each: run id
--
-- returns the text of each run, in order; nothing for one that is not there

-- A server waits for what a connection has written, and claims may have come by another.
redis.call('SET', witnessed, '', 'PX', arg())
local wanted = {}
for place = 1, tonumber(arg()) do
  wanted[place] = arg()
end
return redis.call('HMGET', runs, unpack(wanted))
