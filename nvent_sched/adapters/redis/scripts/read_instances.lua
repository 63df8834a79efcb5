-- read_instances: list the instances.
--
-- uses    _args
-- keys    instances beats
-- args
--
-- returns {{instance id, text, ...}, {instance id, heartbeat, ...}}

return {
  redis.call('HGETALL', instances),
  redis.call('ZRANGE', beats, 0, -1, 'WITHSCORES'),
}
