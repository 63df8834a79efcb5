"""What programs used loose timers for, built from jobs and locks of the store.

A pattern keeps what it waits for as a job with an id of its own (`_model.roles`), so it
survives, is seen, claimed, recorded and pruned as every job is, on every adapter. The
part of a pattern that lives in this process is a companion of the engine: one loop for
all that wait here, never a task or a timer each. Companions measure by the store's time,
wait on the instance's clock, and look again when the clock jumped.

A pattern decides by pure rules (`_rules`) and writes by compare-and-set: what it was
decided on is named with the write, and losing a race is an answer, not an error.
"""

from nvent_sched.patterns.deadlines import Deadline, StoredDeadline
from nvent_sched.patterns.lock import Lock, LockBase
from nvent_sched.patterns.patterns import Patterns
from nvent_sched.patterns.watchdog import Watchdog

__all__ = ["Deadline", "Lock", "LockBase", "Patterns", "StoredDeadline", "Watchdog"]
