-- _args: read the arguments one after the other, and say what time it is.
--
-- uses
-- keys
-- args
--
-- returns nothing: a part of other scripts

local place_of_arg = 0

local function arg()
  place_of_arg = place_of_arg + 1
  return ARGV[place_of_arg]
end

-- A number as text: `tostring` would write today's microsecond as 1.8e+15.
local function text_of(number)
  return string.format('%.0f', number)
end

-- The number of something that is counted up; nil for what was damaged: no number, or one
-- so high that a step from it would soon be lost.
local COUNTED_MAX = 2 ^ 53 - 2 ^ 40

local function counted(text)
  local number = type(text) == 'string' and string.match(text, '^%d+$') and tonumber(text)
  return number and number < COUNTED_MAX and number or nil
end

-- Whether a text is before another by its bytes: `<` goes by the language of the server.
local function is_before(one, other)
  for place = 1, math.min(#one, #other) do
    local byte, other_byte = string.byte(one, place), string.byte(other, place)
    if byte ~= other_byte then
      return byte < other_byte
    end
  end
  return #one < #other
end

-- The store's own clock decides. Only a test gives another time.
local function time_now()
  local given = arg()
  if given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
