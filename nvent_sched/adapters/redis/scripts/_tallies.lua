-- _tallies: add to the statistics of jobs, and to those of all together.
--
-- uses    _later
-- keys    stats* total last_started last_finished last_success last_failure
-- args
--
-- returns nothing: a part of other scripts

-- A count that was damaged begins anew: nobody else's may have to wait for it.
local function count_of(text)
  local count = tonumber(text)
  return count and count % 1 == 0 and count or 0
end

-- kind: 's' success, 'f' failure, 'r' another end of a run, 'n' no run at all
local function read_tally()
  return {
    job_id = arg(), outcome = arg(), count = arg(), kind = arg(), started = arg(),
    finished = arg(), duration = arg(), lateness = arg(), error = arg(),
  }
end

-- What grows, and what is said beside it, of one tally at a time: a table that has grown
-- need not grow again, and an old end does no harm.
local names, said, names_last, said_last = {}, {}, 0, 0

local function count(name)
  names_last = names_last + 1
  names[names_last] = name
end

-- It grows in the statistics of all together as well.
local function grow(name, step)
  count(name)
  count_later(total, name, step)
end

local function say(name, value)
  said[said_last + 1], said[said_last + 2] = name, value
  said_last = said_last + 2
end

-- Two calls, however much it is. The first name grows by a step, the others by one.
local function write_counts(key, first_step)
  local counts = redis.call('HMGET', key, unpack(names, 1, names_last))
  for place = 1, names_last do
    say(names[place], count_of(counts[place]) + (place == 1 and first_step or 1))
  end
  redis.call('HSET', key, unpack(said, 1, said_last))
end

local function count_streak(key, tally)
  local is_success = tally.kind == 's'
  count(is_success and 'success_streak' or 'failure_streak')
  say(is_success and 'failure_streak' or 'success_streak', 0)
  score_later(is_success and last_success or last_failure, tally.job_id, tally.finished)
  if is_success then
    return
  end
  if tally.error == '' then
    redis.call('HDEL', key, 'last_error')
  else
    say('last_error', string.sub(tally.error, 2))
  end
end

local function count_tally(tally)
  local key, first_step = stats .. tally.job_id, tonumber(tally.count)
  names_last, said_last = 0, 0
  grow('n:' .. (tally.outcome == '' and 'retries' or tally.outcome), first_step)
  if tally.outcome ~= '' and tally.kind ~= 'n' then
    say('last_outcome', tally.outcome)
    score_later(last_finished, tally.job_id, tally.finished)
    if tally.started ~= '' then
      score_later(last_started, tally.job_id, tally.started)
    end
    if tally.duration ~= '' then
      grow('d:' .. tally.duration, 1)
    end
    if tally.lateness ~= '' then
      grow('l:' .. tally.lateness, 1)
    end
    if tally.kind ~= 'r' then
      count_streak(key, tally)
    end
  end
  write_counts(key, first_step)
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
