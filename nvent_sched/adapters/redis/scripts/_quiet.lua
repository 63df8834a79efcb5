-- _quiet: claim nothing for a while after another server took over, or this one restarted.
--
-- uses    _args
-- keys    quiet
-- args
--
-- returns nothing: a part of other scripts

local QUIET_MAX = 10000000

-- Until when nothing is claimed; nil if claims may be made. What was damaged, or written
-- before the clock was set back, keeps us for so long and no longer.
local function quiet_until(now)
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
