"""The verbs that are built from jobs and locks, in one place."""

from __future__ import annotations

from nvent_sched.scheduler.awaits import AwaitVerbs
from nvent_sched.scheduler.locks import LockVerbs


class PatternVerbs(AwaitVerbs, LockVerbs):
    """What programs used loose timers for."""
