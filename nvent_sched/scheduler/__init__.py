"""The async front door: verbs for users, datetimes outside, an engine inside.

It turns what a user writes into values, hands them to the rules and the engine, and turns
what comes back into snapshots. It decides nothing.
"""

from nvent_sched.scheduler.scheduler import DEFAULT_URL, STORE_VARIABLE, Scheduler

__all__ = ["DEFAULT_URL", "STORE_VARIABLE", "Scheduler"]
