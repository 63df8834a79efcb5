-- _quiet: claim nothing for a while after another server took over, or this one restarted.
--
-- uses    _args
-- keys    quiet
-- args
--
-- returns nothing: a part of other scripts

-- Until when nothing is claimed; nil if claims may be made.
local function quiet_until(now)
  local ends = redis.call('GET', quiet)
  if ends and tonumber(ends) > now then
    return ends
  end
  return nil
end
