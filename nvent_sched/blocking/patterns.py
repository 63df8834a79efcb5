"""The verbs that are built from jobs and locks, in one place."""

from __future__ import annotations

from nvent_sched.blocking.awaits import AwaitVerbs
from nvent_sched.blocking.locks import LockVerbs
from nvent_sched.blocking.triggers import TriggerVerbs
from nvent_sched.blocking.watchdogs import WatchdogVerbs


class PatternVerbs(AwaitVerbs, LockVerbs, TriggerVerbs, WatchdogVerbs):
    """What programs used loose timers for."""
