"""The verbs that are built from jobs and locks, in one place."""

from __future__ import annotations

from nvent_sched.blocking.triggers import TriggerVerbs
from nvent_sched.blocking.watchdogs import WatchdogVerbs


class PatternVerbs(TriggerVerbs, WatchdogVerbs):
    """What programs used loose timers for."""
