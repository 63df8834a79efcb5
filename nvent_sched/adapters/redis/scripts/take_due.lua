-- take_due: hand out the jobs whose look has come and whose handler is one of these.
--
-- uses    _facts _heads _quiet _later
-- keys    due* ready* beats
-- args    now; for how many microseconds others are not given the same; limit; count; for
--         each: handler
--
-- returns {now, next look, next ready ('' for none), facts of each job}; while nothing
--         is claimed: {now, until when, '', {}}

local now, kept_for, limit = time_now(), tonumber(arg()), tonumber(arg())
local names = read_list()
local ends = quiet_until(now)
if ends then
  return {text_of(now), ends, '', {}}
end
local taken, next_look = first_of(due, names, now, limit)
local job_ids, is_shared = {}, redis.call('ZCARD', beats) > 1
for place, entry in ipairs(taken) do
  job_ids[place] = entry.id
  if is_shared and kept_for > 0 then
    -- What is planned is given its next look; what is not, others are given then.
    score_later(due .. entry.name, entry.id, text_of(now + kept_for))
  end
end
write_later()
local next_ready = first_at(ready, names)
return {
  text_of(now),
  next_look and text_of(next_look) or '',
  next_ready and text_of(next_ready) or '',
  facts_of(job_ids),
}
