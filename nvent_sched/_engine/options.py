"""What a scheduler can be told about itself. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.policies import count_in_range
from nvent_sched._rules.retention import RETENTION, Retention
from nvent_sched._rules.trust import Timing

SLOTS_LIMIT: Final = 100_000
GRACE_US: Final = 30 * SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of one scheduler.

    Attributes:
        running_max: How many async handlers may be going at once.
        threads_max: How many plain handlers, each in a worker thread.
        processes_max: How many handlers in worker processes.
        timing: Lease, heartbeat and when an instance counts as dead.
        retention: How much history is kept.
        grace_us: How long a stop waits for runs to end by themselves.
        is_logging_captured: What a handler logs goes into its run's log as well.
    """

    running_max: int = 1_000
    threads_max: int = 32
    processes_max: int = 2
    timing: Timing = field(default_factory=Timing)
    retention: Retention = RETENTION
    grace_us: int = GRACE_US
    is_logging_captured: bool = True

    def __post_init__(self) -> None:
        for name in ("running_max", "threads_max", "processes_max"):
            count_in_range(getattr(self, name), name=name, most=SLOTS_LIMIT)
