-- _inserting: insert the runs of plans.
--
-- uses    _runs _fences
-- keys
-- args
--
-- returns nothing: a part of other scripts

local function read_run()
  local made = {id = arg()}
  made.first, made.last, made.facts = fields_ahead()
  return made
end

local may_exist = {} -- ids of runs, once any of those that are wanted does

-- Nearly always none of the runs exists, which is seen in one go.
local function look_for_runs(plans)
  local keys, ids = {}, {}
  for _, plan in ipairs(plans) do
    for _, made in ipairs(plan.runs) do
      keys[#keys + 1], ids[#ids + 1] = run .. made.id, made.id
    end
  end
  for first = 1, #keys, AT_ONCE do
    local last = math.min(first + AT_ONCE - 1, #keys)
    if redis.call('EXISTS', unpack(keys, first, last)) > 0 then
      for place = first, last do may_exist[ids[place]] = true end
    end
  end
end

-- Say its fence, '0' for none, and whether it is new: a run that exists is left alone.
local function insert_run(made, now)
  if may_exist[made.id] and redis.call('EXISTS', run .. made.id) == 1 then
    return '0', false
  end
  may_exist[made.id] = true
  local given = made.facts.state == 'claimed' and next_fence(now) or '0'
  redis.call('HSET', run .. made.id, 'fence', given, unpack(ARGV, made.first, made.last))
  score_later(run_ids, made.id, made.facts.scheduled_time)
  place_run(made.id, made.facts)
  return given, true
end
