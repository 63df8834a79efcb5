-- _facts: what a plan for a job needs to know.
--
-- uses    _args
-- keys    jobs definitions run* live* last_finished
-- args
--
-- returns nothing: a part of other scripts

local LIVE_FACTS = {'state', 'scheduled_time', 'due_time', 'cancel_reason'}

-- Each: id, standing, definition, last end ('' for none), then the live runs:
-- id, state, scheduled time, due time, '1' if it is to be cancelled.
local function facts_of(job_ids)
  local found = {}
  if #job_ids == 0 then
    return found
  end
  local texts = redis.call('HMGET', jobs, unpack(job_ids))
  local defined = redis.call('HMGET', definitions, unpack(job_ids))
  local ended = redis.call('ZMSCORE', last_finished, unpack(job_ids))
  local lives = {}
  for place, job_id in ipairs(job_ids) do
    lives[place] = live .. job_id
  end
  -- Nearly always nothing is going of any of them, which is seen in one go.
  local are_going = redis.call('EXISTS', unpack(lives)) > 0
  for place, job_id in ipairs(job_ids) do
    if texts[place] then
      local facts = {job_id, texts[place], defined[place] or '', ended[place] or ''}
      local run_ids = are_going and redis.call('ZRANGE', lives[place], 0, -1) or {}
      for _, run_id in ipairs(run_ids) do
        local values = redis.call('HMGET', run .. run_id, unpack(LIVE_FACTS))
        facts[#facts + 1] = run_id
        facts[#facts + 1] = values[1]
        facts[#facts + 1] = values[2]
        facts[#facts + 1] = values[3] or values[2]
        facts[#facts + 1] = values[4] and '1' or ''
      end
      found[#found + 1] = facts
    end
  end
  return found
end
