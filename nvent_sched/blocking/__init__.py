"""The same verbs without `await`, for plain scripts, threads and notebooks.

A `BlockingScheduler` has an event loop in a thread of its own (`life`), so that it works
where a loop is already running. Its verbs are those of `Scheduler`, by hand, with the same
words (`jobs`, `runs`, `state`); a test compares them.
"""

from nvent_sched.blocking.awaits import BlockingDeadline
from nvent_sched.blocking.events import BlockingEvents
from nvent_sched.blocking.locks import BlockingLock
from nvent_sched.blocking.scheduler import BlockingScheduler
from nvent_sched.blocking.watchdogs import BlockingWatchdog

__all__ = [
    "BlockingDeadline",
    "BlockingEvents",
    "BlockingLock",
    "BlockingScheduler",
    "BlockingWatchdog",
]
