-- _fences: fencing tokens that cannot go back, even if a failover lost the last of them.
--
-- uses    _args
-- keys    fence
-- args
--
-- returns nothing: a part of other scripts

local DAMAGED_AHEAD = 1000000 -- more than were given out in the last moment

local fence_last

-- `pcall`, for an error in the middle of a step would leave half of it.
local function kept_fence(now)
  local text = redis.pcall('GET', fence)
  local last = text and counted(text)
  if text and not last then
    return now + DAMAGED_AHEAD
  end
  return math.max(last or 0, now - 1)
end

local function next_fence(now)
  if not fence_last then
    fence_last = kept_fence(now)
  end
  fence_last = fence_last + 1
  return text_of(fence_last)
end

local function keep_fence()
  if fence_last then
    redis.call('SET', fence, text_of(fence_last))
  end
end
