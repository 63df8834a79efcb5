-- _jobs: where a job stands, as text of fields parted by a control character.
--
-- uses    _later
-- keys    jobs due* handlers quarantine statuses
-- args
--
-- returns nothing: a part of other scripts

local PARTED =
  '^(%d+)\31(%l+)\31([01])\31(%-?%d*)\31([^\31]*)\31(.*)$'

-- nil if the text is not ours
local function parsed(text)
  local version, status, looks, look_at, handler, rest = string.match(text, PARTED)
  if not version then
    return nil
  end
  return {
    version = tonumber(version), status = status, looks = looks == '1',
    look_at = look_at, handler = handler, rest = rest,
  }
end

local function text_of_job(job)
  return table.concat({
    text_of(job.version), job.status, job.looks and '1' or '0', job.look_at,
    job.handler, job.rest,
  }, '\31')
end

local function version_of(text)
  if not text then
    return 0
  end
  local version = string.match(text, '^(%d+)\31')
  return version and tonumber(version) or -1
end

local WAITS = {['await:'] = true, ['deadline:'] = true, ['watchdog:'] = true}

-- Waits are counted apart.
local function count_job(job_id, status, count)
  local is_wait = WAITS[string.match(job_id, '^%l+:')]
  count_later(statuses, is_wait and 'wait ' .. status or status, count)
end

local function unlist_job(job_id, job)
  if job.look_at ~= '' then
    score_later(due .. job.handler, job_id, nil)
  end
  count_job(job_id, job.status, -1)
end

local is_any_aside

-- Take a job out of quarantine; say whether it was there.
local function take_back(job_id)
  if is_any_aside == nil then
    is_any_aside = redis.call('EXISTS', quarantine) == 1
  end
  return is_any_aside and redis.call('HDEL', quarantine, job_id) == 1
end

-- old_text: what is stored now; false for nothing
local function write_job(job_id, old_text, text, job)
  local was_aside = take_back(job_id)
  local old = old_text and not was_aside and parsed(old_text) or nil
  if old and old.look_at ~= '' then
    if job.look_at == '' or old.handler ~= job.handler then
      score_later(due .. old.handler, job_id, nil)
    end
  end
  if old and old.status ~= job.status then
    count_job(job_id, old.status, -1)
  end
  if not old or old.status ~= job.status then
    count_job(job_id, job.status, 1)
  end
  set_later(jobs, job_id, text)
  if job.look_at ~= '' then
    score_later(due .. job.handler, job_id, job.look_at)
    add_member(handlers, job.handler)
  end
end

-- Look at a job now, if nothing makes us look earlier.
local function look_now(job_id, text, job, now, version)
  job.version = version
  if (tonumber(job.look_at) or now) >= now then
    job.look_at = text_of(now)
  end
  write_job(job_id, text, text_of_job(job), job)
end
