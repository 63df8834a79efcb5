-- take_due: read the jobs whose look has come and whose handler is one of these.
--
-- uses    _facts _heads _quiet
-- keys    due* ready*
-- args    now; limit; count; for each: handler
--
-- returns {now, next look, next ready ('' for none), facts of each job}; while nothing
--         is claimed: {now, until when, '', {}}

local now, limit = time_now(), tonumber(arg())
local names = read_list()
local ends = quiet_until(now)
if ends then
  return {text_of(now), ends, '', {}}
end
local taken, next_look = first_of(due, names, now, limit)
local job_ids = {}
for place, entry in ipairs(taken) do
  job_ids[place] = entry.id
end
local next_ready = first_at(ready, names)
return {
  text_of(now),
  next_look and text_of(next_look) or '',
  next_ready and text_of(next_ready) or '',
  facts_of(job_ids),
}
