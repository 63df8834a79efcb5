-- _quiet: claim nothing for a while after another server took over, or this one restarted.
--
-- uses    _args
-- keys    met quiet
-- args
--
-- returns nothing: a part of other scripts

local QUIET = 6000000 -- an instance hears meanwhile that its claim is not known
local QUIET_MAX = 10000000

local function run_id()
  return string.match(redis.call('INFO', 'server'), '\nrun_id:(%x+)') or ''
end

-- What the server calls what it stores since it was a replica; '' if it never was one.
-- Where nothing was taken over, the id changes too: with the first replica, and an hour
-- after the last one.
local function takeover_id()
  local info = redis.call('INFO', 'replication')
  if not string.find(info, '\nmaster_replid2:0*[^0%s]') then
    return ''
  end
  return string.match(info, '\nmaster_replid:(%x+)') or ''
end

local function remember_life()
  redis.call('SET', met, run_id() .. ' ' .. takeover_id())
end

local function keep_quiet(now)
  remember_life()
  local ends = text_of(now + QUIET)
  redis.call('SET', quiet, ends, 'PX', QUIET / 1000 + 1000)
  return ends
end

-- Until when nothing is claimed; nil if claims may be made. What was damaged, or written
-- before the clock was set back, keeps us for so long and no longer.
local function quiet_until(now)
  -- A server that was a replica in between keeps its connections: nobody meets it anew.
  local known, present = string.match(redis.call('GET', met) or '', ' (%x*)$'), takeover_id()
  if known and present ~= '' and present ~= known then
    return keep_quiet(now)
  end
  local text = redis.call('GET', quiet)
  if not text then
    return nil
  end
  local ends = counted(text)
  if not ends or ends > now + QUIET_MAX then
    ends = now + QUIET_MAX
    redis.call('SET', quiet, text_of(ends), 'PX', QUIET_MAX / 1000)
  end
  return ends > now and text_of(ends) or nil
end
