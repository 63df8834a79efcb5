-- renew_locks: extend each hold whose ticket still has the lock.
--
-- uses    _locks
-- keys
-- args    now; count; for each: name, ticket, ttl in microseconds
--
-- returns text: for each '1' if it is extended, '0' if it is lost

local now, verdicts = time_now(), {}
for place = 1, tonumber(arg()) do
  local name, ticket, ttl = arg(), arg(), tonumber(arg())
  local hold = stored_hold(name)
  verdicts[place] = '0'
  if hold and hold.ticket == ticket then
    hold.ttl, hold.ends = ttl, now + ttl
    store_hold(name, hold)
    verdicts[place] = '1'
  end
end
return table.concat(verdicts)
