-- open: say which schema the store has, and mark a new one as ours.
--
-- uses    _args
-- keys    schema
-- args    our schema
--
-- returns the schema of the store

redis.call('SETNX', schema, arg())
return redis.call('GET', schema)
