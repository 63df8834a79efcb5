-- _run_texts: what is stored of a run, as text of fields parted by a control character.
--
-- uses    _later
-- keys    runs payloads details
-- args
--
-- returns nothing: a part of other scripts

-- What a script asks for, and the rest: the marks below, then what is left as it is. An
-- empty text stands for what a run does not have; user's own words are quoted as in JSON.
local PARTED_RUN =
  '^(%l+)\31(%d*)\31([^\31]*)\31([^\31]*)\31(-?%d+)\31(-?%d*)\31([^\31]*)\31(-?%d*)\31'
  .. '(-?%d*)\31([^\31]*)\31([^\31]*)\31(-?%d*)\31(1?)\31(.*)$'
local PARTED_MARKS =
  '^([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)(.*)$'
local MARKS = {'outcome', 'finished_at', 'reason', 'started_at', 'progress', 'progress_note'}

-- Whether what is stored of a run says where it is to be looked for.
local function is_whole(facts)
  if facts.state == 'claimed' then
    return facts.instance ~= '' and facts.lease_until ~= ''
  end
  if facts.state == 'ready' then
    return facts.ready_at ~= ''
  end
  return facts.state == 'finished' or facts.state == 'waiting'
end

-- nil for a text of which so much is damaged that the run has no place
local function facts_in(text)
  local state, fence, job_id, handler, scheduled_time, ready_at, instance, lease_until,
    keep_until, cancel_reason, request, due_time, detailed, rest =
    string.match(text, PARTED_RUN)
  if not state then
    return nil
  end
  local facts = {
    state = state, fence = fence, job_id = job_id, handler = handler,
    scheduled_time = scheduled_time, ready_at = ready_at, instance = instance,
    lease_until = lease_until, keep_until = keep_until, cancel_reason = cancel_reason,
    request = request, due_time = due_time, detailed = detailed, rest = rest,
  }
  return is_whole(facts) and facts or nil
end

local function text_of_run(facts)
  return table.concat({
    facts.state, facts.fence, facts.job_id, facts.handler, facts.scheduled_time,
    facts.ready_at, facts.instance, facts.lease_until, facts.keep_until,
    facts.cancel_reason, facts.request, facts.due_time, facts.detailed, facts.rest,
  }, '\31')
end

-- Change those of the marks that are given; what is damaged stays as it is.
local function mark(facts, changes)
  local marks = {string.match(facts.rest, PARTED_MARKS)}
  if #marks == 0 then
    return
  end
  for place, name in ipairs(MARKS) do
    local value = changes[name] or ''
    marks[place] = value == '' and marks[place] or value
  end
  facts.rest = table.concat(marks, '\31', 1, #MARKS) .. marks[#MARKS + 1]
end

-- nil for a run that does not exist, or that has no place
local function run_facts(run_id)
  local text = field_of(runs, run_id)
  return text and facts_in(text) or nil
end

-- A time as text that is in order: all times have as many digits, one before 1970 is less.
local function ordered(at)
  if string.byte(at) == 45 then
    -- What is left of 10^18: in two halves, for it is more than a number holds exactly.
    local digits = string.sub('000000000000000000', #at) .. string.sub(at, 2)
    local high, low = string.sub(digits, 1, 9), string.sub(digits, 10)
    return '0' .. string.format('%09.0f%09.0f', 999999999 - high, 999999999 - low)
  end
  return '1' .. string.sub('000000000000000000', #at + 1) .. at
end

-- Its member among all runs of its job, in the order of their times.
local function place_in_job(run_id, facts)
  if not facts.place then
    facts.place = facts.job_id .. '\31' .. ordered(facts.scheduled_time) .. '\31' .. run_id
  end
  return facts.place
end

local PLACE_LENGTH = #ordered('0') + 2

local function run_id_in(member, job_id)
  return string.sub(member, #job_id + PLACE_LENGTH + 1)
end

-- What `ordered` made text of: as text, for it may be more than a number holds exactly.
local function time_in(member, job_id)
  local from = #job_id + 2
  local digits = string.sub(member, from + 1, from + 18)
  local is_early = string.byte(member, from) == 48
  if is_early then
    local high, low = tonumber(string.sub(digits, 1, 9)), tonumber(string.sub(digits, 10))
    digits = string.format('%09.0f%09.0f', 999999999 - (high or 0), 999999999 - (low or 0))
  end
  local bare = string.match(digits, '^0*(%d+)$') or '0'
  return is_early and '-' .. bare or bare
end

-- The members of an index of all jobs' runs that are of this job: bounds for BYLEX.
local function bounds_of(job_id)
  return '[' .. job_id .. '\31', '(' .. job_id .. '\32'
end

-- What a reader is given of each that exists: id, text, arguments, details ('' for none).
local function rows_of(run_ids)
  if #run_ids == 0 then
    return {}
  end
  local rows = {}
  local texts = redis.call('HMGET', runs, unpack(run_ids))
  local given = redis.call('HMGET', payloads, unpack(run_ids))
  local more = redis.call('HMGET', details, unpack(run_ids))
  for place, run_id in ipairs(run_ids) do
    if texts[place] then
      rows[#rows + 1] = {run_id, texts[place], given[place] or '', more[place] or ''}
    end
  end
  return rows
end
