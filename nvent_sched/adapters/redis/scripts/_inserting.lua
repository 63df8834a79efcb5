-- _inserting: insert the runs of plans.
--
-- uses    _runs _fences
-- keys
-- args
--
-- returns nothing: a part of other scripts

local function read_run()
  return {id = arg(), text = arg(), payload = arg(), details = arg()}
end

-- Whether they exist, in one go.
local function look_for_runs(plans)
  local ids = {}
  for _, plan in ipairs(plans) do
    for _, made in ipairs(plan.runs) do
      ids[#ids + 1] = made.id
    end
  end
  read_fields(runs, ids)
end

-- Say its fence, '0' for none, and whether it is new: a run that exists is left alone.
local function insert_run(made, now)
  if field_of(runs, made.id) then
    return '0', false
  end
  local facts = facts_in(made.text)
  facts.fence = facts.state == 'claimed' and next_fence(now) or '0'
  if made.payload ~= '' then
    set_later(payloads, made.id, made.payload)
  end
  if made.details ~= '' then
    set_later(details, made.id, made.details)
  end
  score_later(run_ids, made.id, facts.scheduled_time)
  score_later(job_runs, place_in_job(made.id, facts), 0)
  put_run(made.id, facts)
  return facts.fence, true
end
