-- _tallies: add to the statistics of jobs, and to those of all together.
--
-- uses    _later
-- keys    stats* total last_started last_finished last_success last_failure
-- args
--
-- returns nothing: a part of other scripts

-- A count that was damaged begins anew: nobody else's may have to wait for it.
local function grow(key, field, count)
  local grown = redis.pcall('HINCRBY', key, field, count)
  if type(grown) == 'table' then
    redis.call('HSET', key, field, count)
  end
end

local function add_to(key, field, count)
  grow(key, field, count)
  count_later(total, field, tonumber(count))
end

-- kind: 's' success, 'f' failure, 'r' another end of a run, 'n' no run at all
local function read_tally()
  return {
    job_id = arg(), outcome = arg(), count = arg(), kind = arg(), started = arg(),
    finished = arg(), duration = arg(), lateness = arg(), error = arg(),
  }
end

local function count_streak(key, kind, tally)
  local is_success = kind == 's'
  local grows = is_success and 'success_streak' or 'failure_streak'
  local ends = is_success and 'failure_streak' or 'success_streak'
  grow(key, grows, 1)
  redis.call('HSET', key, ends, 0, 'last_outcome', tally.outcome)
  local last = is_success and last_success or last_failure
  score_later(last, tally.job_id, tally.finished)
  if is_success then
    return
  end
  if tally.error == '' then
    redis.call('HDEL', key, 'last_error')
  else
    redis.call('HSET', key, 'last_error', string.sub(tally.error, 2))
  end
end

local function count_tally(tally)
  local key = stats .. tally.job_id
  if tally.outcome == '' then
    add_to(key, 'n:retries', tally.count)
    return
  end
  add_to(key, 'n:' .. tally.outcome, tally.count)
  if tally.kind == 'n' then
    return
  end
  score_later(last_finished, tally.job_id, tally.finished)
  if tally.started ~= '' then
    score_later(last_started, tally.job_id, tally.started)
  end
  if tally.duration ~= '' then
    add_to(key, 'd:' .. tally.duration, 1)
  end
  if tally.lateness ~= '' then
    add_to(key, 'l:' .. tally.lateness, 1)
  end
  if tally.kind == 'r' then
    redis.call('HSET', key, 'last_outcome', tally.outcome)
  else
    count_streak(key, tally.kind, tally)
  end
end

local function forget_tallies(job_id)
  local counted = redis.call('HGETALL', stats .. job_id)
  for place = 1, #counted, 2 do
    if string.match(counted[place], '^[ndl]:') then
      count_later(total, counted[place], -(tonumber(counted[place + 1]) or 0))
    end
  end
  redis.call('DEL', stats .. job_id)
  for _, last in ipairs({last_started, last_finished, last_success, last_failure}) do
    score_later(last, job_id, nil)
  end
end
