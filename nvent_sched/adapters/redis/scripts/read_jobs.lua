-- read_jobs: read jobs in the order of their ids, or those with these ids.
--
-- uses    _args
-- keys    jobs definitions job_ids quarantine
-- args    after (a bound as ZRANGEBYLEX takes it), limit; count; for each: id; without
--         ids: all from the bound on
--
-- returns {id, standing, definition, reason of its quarantine ('' for none)} for each

local after, limit, wanted = arg(), tonumber(arg()), {}
for place = 1, tonumber(arg()) do
  wanted[place] = arg()
end
if #wanted == 0 then
  wanted = redis.call('ZRANGEBYLEX', job_ids, after, '+', 'LIMIT', 0, limit)
end
local reply = {}
if #wanted > 0 then
  local texts = redis.call('HMGET', jobs, unpack(wanted))
  local defined = redis.call('HMGET', definitions, unpack(wanted))
  local reasons = redis.call('HMGET', quarantine, unpack(wanted))
  for place, job_id in ipairs(wanted) do
    if texts[place] then
      reply[#reply + 1] = {
        job_id, texts[place], defined[place] or '', reasons[place] or '',
      }
    end
  end
end
return reply
