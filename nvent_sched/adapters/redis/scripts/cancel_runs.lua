-- cancel_runs: ask for CLAIMED runs to be cancelled; others are left as they are.
--
-- uses    _runs
-- keys    hints
-- args    caller; reason; count; for each: run id
--
-- returns {run id, {field, value, ...}} for each that exists, as it was before

local caller, reason = arg(), arg()
local reply = {}
for _ = 1, tonumber(arg()) do
  local run_id = arg()
  local facts = run_facts(run_id)
  if facts then
    reply[#reply + 1] = {run_id, redis.call('HGETALL', run .. run_id)}
    if facts.state == 'claimed' then
      mark_cancelled(run_id, facts, reason)
      is_news = true
    end
  end
end
if is_news then
  redis.call('PUBLISH', hints, caller)
end
return reply
