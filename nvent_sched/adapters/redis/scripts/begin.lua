-- begin: claim READY runs, oldest first, up to each pool's limit.
--
-- uses    _runs _fences _heads _quiet
-- keys    asked*
-- args    now; request, instance, until, lease in microseconds; number of pools; for
--         each: limit, count, handlers
--
-- returns {now, next ready ('' for none), {run id, text, arguments,
--         details}, ...}; while nothing new is claimed: until when, instead of next ready

local ASKED_MS = 600000 -- how long a request may be repeated

local now = time_now()
local request, instance, until_at = arg(), arg(), tonumber(arg())
local lease_until = text_of(now + tonumber(arg()))
local asked_key = asked .. request

-- Say whether it could be; what is damaged is put out of the way, and `summary` tells.
local function claim(entry, handler_names)
  local facts = run_facts(entry.id)
  if not facts or facts.state ~= 'ready' then
    for _, name in ipairs(handler_names) do
      score_later(ready .. name, entry.id, nil)
    end
    return false
  end
  displace_run(entry.id, facts)
  facts.state, facts.instance, facts.lease_until = 'claimed', instance, lease_until
  facts.fence, facts.request = next_fence(now), request
  put_run(entry.id, facts)
  return true
end

local mine = {}
for _, run_id in ipairs(redis.call('LRANGE', asked_key, 0, -1)) do
  local facts = run_facts(run_id)
  if facts and facts.state == 'claimed' and facts.request == request then
    mine[#mine + 1] = {id = run_id, at = tonumber(facts.ready_at)}
  end
end
local ends = quiet_until(now)
local is_new = #mine == 0 and not ends
if is_new then
  redis.call('DEL', asked_key)
end
local names, is_mixed = {}, not is_new
for _ = 1, tonumber(arg()) do
  local limit, own = tonumber(arg()), read_list()
  for _, name in ipairs(own) do
    names[#names + 1] = name
  end
  if is_new and limit > 0 then
    is_mixed = is_mixed or #mine > 0
    for _, entry in ipairs((first_of(ready, own, until_at, limit))) do
      if claim(entry, own) then
        redis.call('RPUSH', asked_key, entry.id)
        mine[#mine + 1] = entry
      end
    end
    write_later() -- the next pool must not find them again
  end
end
if is_new and #mine > 0 then
  redis.call('PEXPIRE', asked_key, ASKED_MS)
end
keep_fence()
if is_mixed then -- what one pool was given is in this order
  table.sort(mine, by_time)
end
local next_ready = first_at(ready, names)
local reply = {text_of(now), ends or next_ready and text_of(next_ready) or ''}
local claimed_ids = {}
for place, entry in ipairs(mine) do
  claimed_ids[place] = entry.id
end
for _, row in ipairs(rows_of(claimed_ids)) do
  reply[#reply + 1] = row
end
return reply
