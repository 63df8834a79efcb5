"""The verbs that are built from jobs and locks, in one place."""

from __future__ import annotations

from nvent_sched.blocking.awaits import AwaitVerbs
from nvent_sched.blocking.locks import LockVerbs


class PatternVerbs(AwaitVerbs, LockVerbs):
    """What programs used loose timers for."""
