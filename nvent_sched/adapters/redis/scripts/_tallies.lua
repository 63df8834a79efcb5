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

-- What grows, and what is said beside it, in two calls however much it is.
local function write_counts(key, grown, said)
  local names = {}
  for name in pairs(grown) do
    names[#names + 1] = name
  end
  for place, text in ipairs(redis.call('HMGET', key, unpack(names))) do
    said[#said + 1] = names[place]
    said[#said + 1] = text_of(count_of(text) + grown[names[place]])
  end
  redis.call('HSET', key, unpack(said))
end

local function count_streak(key, tally, grown, said)
  local is_success = tally.kind == 's'
  grown[is_success and 'success_streak' or 'failure_streak'] = 1
  said[#said + 1] = is_success and 'failure_streak' or 'success_streak'
  said[#said + 1] = 0
  score_later(is_success and last_success or last_failure, tally.job_id, tally.finished)
  if is_success then
    return
  end
  if tally.error == '' then
    redis.call('HDEL', key, 'last_error')
  else
    said[#said + 1] = 'last_error'
    said[#said + 1] = string.sub(tally.error, 2)
  end
end

local function grow(grown, name, count)
  grown[name] = count
  count_later(total, name, count)
end

local function count_tally(tally)
  local key, grown, said = stats .. tally.job_id, {}, {}
  local ending = tally.outcome == '' and 'retries' or tally.outcome
  grow(grown, 'n:' .. ending, tonumber(tally.count))
  if tally.outcome ~= '' and tally.kind ~= 'n' then
    said[1], said[2] = 'last_outcome', tally.outcome
    score_later(last_finished, tally.job_id, tally.finished)
    if tally.started ~= '' then
      score_later(last_started, tally.job_id, tally.started)
    end
    if tally.duration ~= '' then
      grow(grown, 'd:' .. tally.duration, 1)
    end
    if tally.lateness ~= '' then
      grow(grown, 'l:' .. tally.lateness, 1)
    end
    if tally.kind ~= 'r' then
      count_streak(key, tally, grown, said)
    end
  end
  write_counts(key, grown, said)
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
