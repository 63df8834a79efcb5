"""What a reader sees of watchdogs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from nvent_sched._model.showing import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta


class WatchState(StrEnum):
    """How work is doing that a watchdog watches."""

    ALIVE = "alive"
    STALLED = "stalled"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogSnapshot(Shown):
    """A watchdog: work that must give signs of life.

    Attributes:
        key: Of the work.
        job_id: The job that keeps it; its runs are the alarms.
        state: "alive", "stalled", or "ended" if it is kept for its alarms only.
        reason: Why the last alarm was raised; None while it is alive.
        last_beat: The last sign of life, as stored: of a living instance up to a
            quarter of the time-out old, at most a minute.
        deadline: When an alarm is due if no other sign comes.
        timeout: How long the work may be silent.
        owner: The instance that started it last; None for what a sweep found.
        run_id: The run it watches, if one.
        handler: What an alarm calls.
        metadata: Yours.
        alarms: How many were raised.
    """

    key: str
    job_id: str
    state: WatchState
    reason: str | None
    last_beat: datetime
    deadline: datetime
    timeout: timedelta
    owner: str | None
    run_id: str | None
    handler: str
    metadata: Mapping[str, Any]
    alarms: int
