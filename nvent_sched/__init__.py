"""One scheduler for everything that waits for time, on asyncio and on Trio."""

from nvent_sched._engine.context import RunCancelledError, RunContext
from nvent_sched._engine.stream import EventStream
from nvent_sched._model.events import EventKind
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.policies import (
    Misfire,
    OnLost,
    Overlap,
    PoliciesSnapshot,
    Retry,
)
from nvent_sched._model.queries import Page
from nvent_sched._model.runs import Origin, Outcome, RunState
from nvent_sched._model.snapshots import (
    AwaitResult,
    AwaitSnapshot,
    EventSnapshot,
    HealthSnapshot,
    InstanceSnapshot,
    JobSnapshot,
    LockSnapshot,
    RunSnapshot,
    SchedulerSnapshot,
    StatsSnapshot,
)
from nvent_sched._model.triggers import TriggerSnapshot
from nvent_sched._model.watchdogs import WatchdogSnapshot, WatchState
from nvent_sched._rules.cron import Cron, Preview
from nvent_sched._rules.declaring import JobOptions, JobSpec
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched.ambient import (
    initialize_scheduler,
    shutdown_scheduler,
    use_scheduler,
)
from nvent_sched.blocking import (
    BlockingDeadline,
    BlockingEvents,
    BlockingLock,
    BlockingScheduler,
    BlockingWatchdog,
)
from nvent_sched.magics import load_ipython_extension, unload_ipython_extension
from nvent_sched.patterns import Deadline, Lock, Watchdog
from nvent_sched.scheduler import Scheduler
from nvent_sched.widgets import Dashboard

__all__ = [
    "AwaitResult",
    "AwaitSnapshot",
    "BlockingDeadline",
    "BlockingEvents",
    "BlockingLock",
    "BlockingScheduler",
    "BlockingWatchdog",
    "Cron",
    "Dashboard",
    "Deadline",
    "EventKind",
    "EventSnapshot",
    "EventStream",
    "HealthSnapshot",
    "InstanceSnapshot",
    "Interval",
    "JobOptions",
    "JobSnapshot",
    "JobSpec",
    "JobStatus",
    "Lock",
    "LockSnapshot",
    "Misfire",
    "OnLost",
    "OneTime",
    "Origin",
    "Outcome",
    "Overlap",
    "Page",
    "PoliciesSnapshot",
    "Preview",
    "Retry",
    "RunCancelledError",
    "RunContext",
    "RunSnapshot",
    "RunState",
    "Scheduler",
    "SchedulerSnapshot",
    "StatsSnapshot",
    "TriggerSnapshot",
    "WatchState",
    "Watchdog",
    "WatchdogSnapshot",
    "initialize_scheduler",
    "load_ipython_extension",
    "shutdown_scheduler",
    "unload_ipython_extension",
    "use_scheduler",
]
