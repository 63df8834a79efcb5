"""The verbs that are built from jobs and locks, in one place."""

from __future__ import annotations

from nvent_sched.scheduler.verbs import Verbs


class PatternVerbs(Verbs):
    """What programs used loose timers for."""
