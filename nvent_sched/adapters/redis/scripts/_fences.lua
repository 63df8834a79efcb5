-- _fences: fencing tokens that cannot go back, even if a failover lost the last of them.
--
-- uses    _args
-- keys    fence
-- args
--
-- returns nothing: a part of other scripts

local fence_last

local function next_fence(now)
  if not fence_last then
    fence_last = math.max(tonumber(redis.call('GET', fence) or '0'), now - 1)
  end
  fence_last = fence_last + 1
  return text_of(fence_last)
end

local function keep_fence()
  if fence_last then
    redis.call('SET', fence, text_of(fence_last))
  end
end
