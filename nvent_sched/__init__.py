"""One scheduler for everything that waits for time, on asyncio and on Trio."""

from nvent_sched._engine.context import RunCancelledError, RunContext
from nvent_sched._model.policies import Misfire, OnLost, Overlap, Retry
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.declaring import JobOptions, JobSpec
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched.scheduler import Scheduler

__all__ = [
    "Cron",
    "Interval",
    "JobOptions",
    "JobSpec",
    "Misfire",
    "OnLost",
    "OneTime",
    "Overlap",
    "Retry",
    "RunCancelledError",
    "RunContext",
    "Scheduler",
]
