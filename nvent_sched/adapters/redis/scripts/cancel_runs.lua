-- cancel_runs: ask for CLAIMED runs to be cancelled; others are left as they are.
--
-- uses    _runs
-- keys    hints
-- args    caller; reason, quoted; count; for each: run id
--
-- returns {run id, text, arguments, details} for each that exists, as it was before

local caller, reason = arg(), arg()
local wanted = {}
for place = 1, tonumber(arg()) do
  wanted[place] = arg()
end
local reply = rows_of(wanted)
for _, row in ipairs(reply) do
  local facts = run_facts(row[1])
  if facts and facts.state == 'claimed' then
    mark_cancelled(row[1], facts, reason)
    is_news = true
  end
end
write_later()
if is_news then
  redis.call('PUBLISH', hints, caller)
end
return reply
