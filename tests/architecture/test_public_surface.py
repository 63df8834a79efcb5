"""What a user may import is listed here, and nothing else is offered."""

from __future__ import annotations

from types import ModuleType
from typing import Final

import nvent_sched

EXPECTED: Final = {
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
}


def test_the_public_names_are_these() -> None:
    assert set(nvent_sched.__all__) == EXPECTED


def test_no_other_name_is_offered() -> None:
    offered = {
        name
        for name, value in vars(nvent_sched).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }

    assert offered == EXPECTED


def test_a_public_name_says_that_it_comes_from_the_package() -> None:
    homes = {name: getattr(nvent_sched, name).__module__ for name in EXPECTED}

    assert {n: h for n, h in homes.items() if h.split(".")[0] != "nvent_sched"} == {}
