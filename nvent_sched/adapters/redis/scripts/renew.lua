-- renew: say that the instance lives, extend its leases, store progress.
--
-- uses    _runs
-- keys    instances beats
-- args    now; instance id, its text, lease in microseconds; count; for each: run id,
--         fence, '1' to extend; progress, its note, start ('' for what stays as it is)
--
-- returns {now, {ids of stale runs}, {run id, reason to cancel it, ...}}

local now, instance = time_now(), arg()
redis.call('HSET', instances, instance, arg())
redis.call('ZADD', beats, text_of(now), instance)
local lease_until = text_of(now + tonumber(arg()))
local renewals, run_ids_asked, stale = {}, {}, {}
for place = 1, tonumber(arg()) do
  renewals[place] = {
    id = arg(), fence = arg(), extends = arg() == '1',
    progress = arg(), progress_note = arg(), started_at = arg(),
  }
  run_ids_asked[place] = renewals[place].id
end
read_fields(runs, run_ids_asked)

local function renew(asked, facts)
  if asked.extends then
    facts.lease_until = lease_until
    score_later(held .. facts.instance, asked.id, lease_until)
  end
  if asked.progress .. asked.progress_note .. asked.started_at ~= '' then
    mark(facts, asked)
  end
  set_later(runs, asked.id, text_of_run(facts))
end

for _, asked in ipairs(renewals) do
  local facts = run_facts(asked.id)
  if not facts or facts.state ~= 'claimed' or facts.fence ~= asked.fence then
    stale[#stale + 1] = asked.id
  else
    renew(asked, facts)
  end
end
write_later()
return {text_of(now), stale, redis.call('HGETALL', cancels .. instance)}
