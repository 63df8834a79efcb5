"""The verbs that are built from jobs and locks, in one place."""

from __future__ import annotations

from nvent_sched.scheduler.awaits import AwaitVerbs
from nvent_sched.scheduler.locks import LockVerbs
from nvent_sched.scheduler.triggers import TriggerVerbs
from nvent_sched.scheduler.watchdogs import WatchdogVerbs


class PatternVerbs(AwaitVerbs, LockVerbs, TriggerVerbs, WatchdogVerbs):
    """What programs used loose timers for."""
