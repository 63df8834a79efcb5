-- open: say which schema the store has, and mark a new one as ours.
--
-- uses    _args
-- keys    schema
-- args    now; our schema
--
-- returns {schema of the store, time of the store}

local now, ours = time_now(), arg()
redis.call('SETNX', schema, ours)
return {redis.call('GET', schema), text_of(now)}
