-- _facts: what a plan for a job needs to know.
--
-- uses    _run_texts
-- keys    jobs definitions live last_finished
-- args
--
-- returns nothing: a part of other scripts

-- Add the live runs of a job: id, state, scheduled time, due time, '1' if it is to be
-- cancelled.
local function add_live(found, job_id)
  for _, member in ipairs(redis.call('ZRANGEBYLEX', live, bounds_of(job_id))) do
    local run_id = run_id_in(member, job_id)
    local facts = run_facts(run_id)
    if facts then -- `check` tells of one that is damaged
      found[#found + 1] = run_id
      found[#found + 1] = facts.state
      found[#found + 1] = facts.scheduled_time
      found[#found + 1] = facts.due_time == '' and facts.scheduled_time or facts.due_time
      found[#found + 1] = facts.cancel_reason == '' and '' or '1'
    end
  end
end

-- Each: id, standing, definition, last end ('' for none), then the live runs.
local function facts_of(job_ids)
  local found = {}
  if #job_ids == 0 then
    return found
  end
  local texts = redis.call('HMGET', jobs, unpack(job_ids))
  local defined = redis.call('HMGET', definitions, unpack(job_ids))
  local ended = redis.call('ZMSCORE', last_finished, unpack(job_ids))
  local are_going = redis.call('EXISTS', live) == 1
  for place, job_id in ipairs(job_ids) do
    if texts[place] then
      local facts = {job_id, texts[place], defined[place] or '', ended[place] or ''}
      if are_going then
        add_live(facts, job_id)
      end
      found[#found + 1] = facts
    end
  end
  return found
end
