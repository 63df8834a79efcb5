-- _told: answer a call that is repeated because its reply was lost as it was answered.
--
-- uses    _args
-- keys    told*
-- args    caller, number, is_repeat ('1' or '0')
--
-- returns nothing: a part of other scripts

local CALLS_REMEMBERED = 1024
local REMEMBERED_MS = 600000

local told_key, told_number, told_is_repeat = told .. arg(), arg(), arg() == '1'
local told_slot = tonumber(told_number) % CALLS_REMEMBERED

local function told_before()
  if not told_is_repeat then
    return nil
  end
  local answer = redis.call('HGET', told_key, told_slot)
  if not answer then
    return nil
  end
  local number, reply = string.match(answer, '^(%d+):(.*)$')
  return number == told_number and reply or nil
end

local function tell(reply)
  redis.call('HSET', told_key, told_slot, told_number .. ':' .. reply)
  redis.call('PEXPIRE', told_key, REMEMBERED_MS)
  return reply
end
