-- live_runs: find runs that live and are in one of these states, a part at a time.
--
-- uses    _run_texts
-- keys    live
-- args    job id ('' for all jobs); member after which to begin ('' for the first); most
--         members to look at; count; for each: state
--
-- returns {member where the next part begins ('' at the end), run id, scheduled time, ...}

local job_id, after, limit, states = arg(), arg(), tonumber(arg()), {}
for _ = 1, tonumber(arg()) do
  states[arg()] = true
end

local first, last = '-', '+'
if job_id ~= '' then
  first, last = bounds_of(job_id)
end
if after ~= '' then
  first = '(' .. after
end
local members = redis.call('ZRANGEBYLEX', live, first, last, 'LIMIT', 0, limit)
local found = {}
for place, member in ipairs(members) do
  found[place] = run_id_in(member, string.match(member, '^[^\31]*'))
end
local reply = {#members == limit and members[limit] or ''}
local texts = #members == 0 and {} or redis.call('HMGET', runs, unpack(found))
for place, run_id in ipairs(found) do
  local state, at = string.match(
    texts[place] or '', '^(%l+)\31[^\31]*\31[^\31]*\31[^\31]*\31(-?%d+)\31'
  )
  if states[state or ''] then
    reply[#reply + 1] = run_id
    reply[#reply + 1] = at
  end
end
return reply
