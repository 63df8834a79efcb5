"""What a reader sees of triggers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvent_sched._model.showing import Shown

if TYPE_CHECKING:
    from datetime import datetime

    from nvent_sched._model.schedules import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerSnapshot(Shown):
    """A trigger, and what came of firing it.

    Attributes:
        state: "active", "paused" or "retired".
        note: Why it is paused; empty otherwise.
        schedule: When it fires by itself; None for only by hand.
        next_time: When it does so next.
        subscribers: Their ids, in order.
        fired: How often it was fired.
        delivered: Runs of its subscribers that succeeded.
        failed: Runs of its subscribers that failed.
        skipped: Deliveries that were not run, by policy.
        last_fired_at: When it was fired last.
    """

    name: str
    state: str
    note: str
    schedule: Schedule | None
    next_time: datetime | None
    subscribers: tuple[str, ...]
    fired: int
    delivered: int
    failed: int
    skipped: int
    last_fired_at: datetime | None
