"""Who waits in this process, and until when. Touches no store, so nothing delays it.

One heap for all waits, ordered by the store's time: when that jumps, the order stays and
only the next look moves.
"""

from __future__ import annotations

import heapq
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Final

from nvent_sched._engine.signals import Signal
from nvent_sched._model.instants import SECOND_US
from nvent_sched._rules.awaiting import end_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nvent_sched._engine.core import Core
    from nvent_sched._engine.registry import Handler
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job

LOOK_US: Final = SECOND_US
"""How often the times are compared again while the clock may be set by somebody."""
DEAD_SHARE: Final = 2
DEAD_MIN: Final = 64


class End(StrEnum):
    """How a wait ended in this process. A closed set."""

    DUE = "due"
    CANCELLED = "cancelled"
    STOPPED = "stopped"


class Wait:
    """One key that somebody in this process waits for.

    Attributes:
        job: As stored when the first of them came.
        at: When it ends, by the store's time.
        since_us: Since when anybody waits here, on the monotonic clock.
        waiters: What to call, once, when it has ended.
        end: How it ended; None while it has not.
        reason: Why, if it was cancelled.
    """

    __slots__ = ("at", "end", "job", "reason", "since_us", "waiters")

    def __init__(self, job: Job, *, since_us: int) -> None:
        self.job: Job = job
        self.at: Instant = end_of(job)
        self.since_us: int = since_us
        self.waiters: set[Callable[[], None]] = set()
        self.end: End | None = None
        self.reason: str = ""


class Waits:
    """All waits of one instance; a companion of its engine.

    Args:
        core: The instance.
        on_due: Is told of each wait whose time has come.
    """

    name = "awaits"

    def __init__(self, core: Core, *, on_due: Callable[[Wait], None]) -> None:
        self.signal: Signal = Signal()
        self.is_closed: bool = False
        self._core, self._on_due = core, on_due
        self._by_id: dict[str, Wait] = {}
        self._heap: list[tuple[int, int, Wait]] = []
        self._order = count()

    def handlers(self) -> Iterable[Handler]:
        """Name none: `records` does."""
        return ()

    def __len__(self) -> int:
        """Say how many keys are waited for."""
        return len(self._by_id)

    def get(self, job_id: str) -> Wait | None:
        """Find the wait for a key that somebody here waits for."""
        return self._by_id.get(job_id)

    def join(self, job: Job, waiter: Callable[[], None]) -> Wait:
        """Call *waiter* when the time of *job* has come, or it ends otherwise."""
        wait = self._by_id.get(job.id)
        if wait is None:
            wait = Wait(job, since_us=self._core.clock.monotonic_us())
            self._by_id[job.id] = wait
            entry = (wait.at, next(self._order), wait)
            heapq.heappush(self._heap, entry)
            if self._heap[0] is entry:
                self.signal.set()
        wait.waiters.add(waiter)
        return wait

    def leave(self, wait: Wait, waiter: Callable[[], None]) -> None:
        """Wait no more; the stored time stays."""
        wait.waiters.discard(waiter)
        if not wait.waiters and self._by_id.get(wait.job.id) is wait:
            del self._by_id[wait.job.id]
            self._compact()

    def _compact(self) -> None:
        if len(self._heap) > DEAD_SHARE * len(self._by_id) + DEAD_MIN:
            kept = [each for each in self._heap if self._is_live(each[2])]
            heapq.heapify(kept)
            self._heap = kept

    def _is_live(self, wait: Wait) -> bool:
        return self._by_id.get(wait.job.id) is wait

    def end(self, job_id: str, end: End, *, reason: str = "") -> None:
        """End the wait for a key now, if anybody here waits for it."""
        if (wait := self._by_id.pop(job_id, None)) is not None:
            wait.end, wait.reason = end, reason
            for waiter in tuple(wait.waiters):
                waiter()

    def turn(self, limit: int, *, before_us: int) -> tuple[str, ...]:
        """Name some keys that are waited for, others the next time.

        Args:
            limit: At most so many.
            before_us: Only those waited for since before this monotonic time.
        """
        named = list[str]()
        for job_id in tuple(self._by_id)[:limit]:
            wait = self._by_id.pop(job_id)
            self._by_id[job_id] = wait
            if wait.since_us <= before_us:
                named.append(job_id)
        return tuple(named)

    async def one_pass(self) -> int | None:
        """Wake whose time has come; say when to look again."""
        core = self._core
        now = core.time.now()
        while self._heap and (self._heap[0][0] <= now or self._is_dead_first()):
            _, _, wait = heapq.heappop(self._heap)
            if self._is_live(wait):
                self._on_due(wait)
                self.end(wait.job.id, End.DUE)
        if not self._heap:
            return None
        until_us = core.time.monotonic_of(self._heap[0][2].at)
        if core.clock.moves_by_itself:
            return min(until_us, core.clock.monotonic_us() + LOOK_US)
        return until_us

    def _is_dead_first(self) -> bool:
        return not self._is_live(self._heap[0][2])

    def close(self) -> None:
        """End every wait: nobody will wake them any more. Idempotent."""
        self.is_closed = True
        for job_id in tuple(self._by_id):
            self.end(job_id, End.STOPPED)
