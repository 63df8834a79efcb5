-- damaged_locks: name locks of whose hold something cannot be read, or is lost.
--
-- uses    _locks
-- keys
-- args    two places to look on from, '0' at first
--
-- returns {two places to look on from, '' at the end; name, ...}

local LOOKED_AT = 500

local bad = {}

local function look(name)
  local hold = stored_hold(name)
  if hold and not (hold.ticket and hold.ends) then
    bad[#bad + 1] = name
  end
end

local function look_on(command, key, place)
  if place == '' then
    return ''
  end
  local found = redis.call(command, key, place, 'COUNT', LOOKED_AT)
  for number = 1, #found[2], 2 do
    look(found[2][number])
  end
  return found[1] == '0' and '' or found[1]
end

local holds = look_on('HSCAN', locks, arg())
local ends = look_on('ZSCAN', lock_ends, arg())
return {holds, ends, unpack(bad)}
