"""The distributed adapter: many instances share one store on a Redis or Valkey server.

One verb, one script: `scripts/*.lua` order, compare and write, and decide nothing. The
server's own clock says what is due and which lease has ended; an instance whose clock is
wrong changes nothing. Calls that wait together travel together: one thread owns the
connection (`link`), and sends what has gathered as one pipeline.

* A reply that was lost is asked for again. Writes that would not survive being repeated
  (`put_jobs`, `drop_jobs`, `commit_plans`, `publish`) carry a number; the store remembers
  what it answered for ten minutes. `begin` carries its request id, the rest is
  idempotent by fence.
* What is due is handed to one instance at a time: half a second long the others are given
  what comes after it. Only `commit_plans` decides whose it is.
* A claim is an entry of a sorted set, scored by the end of its lease; never a key that
  expires. Keys with a time to live hold nothing but answers to be repeated.
* Every key begins with one hash tag, so that all lie in one slot of a cluster.
* Replication is asynchronous: a failover may lose the last writes. Fencing tokens are
  made of the time, so that they grow all the same.

`location` is where the server is, `keys` what is stored under which name, `scripts` loads
the Lua, `rows` turns values into fields and back, `faults` turns errors into ours.
"""

from nvent_sched.adapters.redis.adapter import RedisAdapter

__all__ = ["RedisAdapter"]
