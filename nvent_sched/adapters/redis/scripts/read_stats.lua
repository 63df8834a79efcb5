-- read_stats: read the statistics of these jobs; without jobs, of all added up.
--
-- uses    _args
-- keys    stats* total last_started last_finished last_success last_failure
-- args    count; for each: job id
--
-- returns for each, or once for all: {last start, end, success, failure ('' for none),
--         {field, value, ...}}

local LASTS = {last_started, last_finished, last_success, last_failure}

local wanted, reply = {}, {}
for place = 1, tonumber(arg()) do
  wanted[place] = arg()
end
if #wanted == 0 then
  local sums = {}
  for place, last in ipairs(LASTS) do
    sums[place] = redis.call('ZREVRANGE', last, 0, 0, 'WITHSCORES')[2] or ''
  end
  sums[5] = redis.call('HGETALL', total)
  return {sums}
end
for place, job_id in ipairs(wanted) do
  local own = {}
  for which, last in ipairs(LASTS) do
    own[which] = redis.call('ZSCORE', last, job_id) or ''
  end
  own[5] = redis.call('HGETALL', stats .. job_id)
  reply[place] = own
end
return reply
