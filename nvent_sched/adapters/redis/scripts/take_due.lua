-- take_due: hand out the jobs whose look has come and whose handler is one of these.
--
-- uses    _facts _heads _quiet _jobs
-- keys    due* ready* beats
-- args    now; for how many microseconds others are not handed the same, if its definition
--         ends with this; limit; count; for each: handler
--
-- returns {now, next look, next ready ('' for none), facts of each job}; while nothing
--         is claimed: {now, until when, '', {}}

local now, kept_for, readable, limit = time_now(), tonumber(arg()), arg(), tonumber(arg())
local names = read_list()
local ends = quiet_until(now)
if ends then
  return {text_of(now), ends, '', {}}
end
local taken, next_look = first_of(due, names, now, limit)
local job_ids_asked, name_of = {}, {}
for place, entry in ipairs(taken) do
  job_ids_asked[place] = entry.id
  name_of[entry.id] = entry.name
end
local found = facts_of(job_ids_asked)
local is_shared = kept_for > 0 and redis.call('ZCARD', beats) > 1
for _, facts in ipairs(found) do
  local job_id, definition = facts[1], facts[3]
  -- What an older release cannot read it must not keep from those that can.
  if is_shared and string.sub(definition, -#readable) == readable then
    -- A plan gives it its next look; without one, others are handed it then.
    score_later(due .. name_of[job_id], job_id, text_of(now + kept_for))
  end
  if parsed(facts[2]) then
    name_of[job_id] = nil
  end
end
-- What is no job, or does not say where it is looked for, must not be found here again.
for job_id, name in pairs(name_of) do
  score_later(due .. name, job_id, nil)
end
write_later()
local next_ready = first_at(ready, names)
return {
  text_of(now),
  next_look and text_of(next_look) or '',
  next_ready and text_of(next_ready) or '',
  found,
}
