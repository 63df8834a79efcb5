"""An instance: one started scheduler, as the others see it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nvent_sched._model.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One started scheduler.

    Attributes:
        id: New at every start.
        host: The machine's name.
        pid: The process.
        release: The version of nvent_sched.
        started_at: When it started.
        heartbeat_at: When it was last heard of, by the store's clock.
        handlers: The names of the handlers it has.
        slots: How many runs it can have going.
        running: How many it had at the last heartbeat.
    """

    id: str
    host: str
    pid: int
    release: str
    started_at: Instant
    heartbeat_at: Instant
    handlers: tuple[str, ...] = ()
    slots: int = 0
    running: int = 0
