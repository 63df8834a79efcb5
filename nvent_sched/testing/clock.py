"""A clock that moves only when told to.

Give it to a scheduler, and a month of waiting takes as long as what happens in it::

    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    async with Scheduler("memory:", clock=clock) as scheduler:
        await scheduler.schedule(backup, Cron("0 2 * * *"), id="backup")
        await clock.advance(timedelta(days=31))
        assert (await scheduler.stats("backup")).runs == 31

It stops at each instant somebody waits for, in order, and goes on once everything has
come to rest there. A scheduler also wakes for its heartbeat; for a simulated year give it
long ones: `heartbeat=timedelta(hours=1), dead_after=timedelta(hours=4),
lease=timedelta(hours=8)`.
"""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Final

import anyio
from anyio.lowlevel import checkpoint

from nvent_sched._engine.signals import Signal
from nvent_sched._model.instants import Instant, instant_from, moment_from, span_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._port import Waitable

    _Party = tuple[Callable[[], bool], Callable[[int], None]]

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
QUIET_ROUNDS: Final = 25
"""How many turns of the loop without news mean rest, before the loop itself is asked."""
THREAD_TURN: Final = 0.0005
PATIENCE: Final = 2.0


class ManualClock:
    """Wall and monotonic time under the hand of a test.

    Args:
        start: The time it shows at first; aware.

    Attributes:
        patience: For how many seconds of real time a handler in a worker thread is
            waited for before it is taken to wait for something itself.
    """

    moves_by_itself = False

    def __init__(self, start: datetime = START) -> None:
        self.patience = PATIENCE
        self._wall_us = int(instant_from(start))
        self._monotonic_us = 0
        self._waiters: list[tuple[int, int, anyio.CancelScope]] = []
        self._order = count()
        self._parties: list[_Party] = []

    def __repr__(self) -> str:
        """Say what time it is."""
        return f"<ManualClock {self.moment.isoformat()}>"

    @property
    def moment(self) -> datetime:
        """What the wall clock shows, in UTC."""
        return moment_from(self._wall_us)

    def now(self) -> Instant:
        """Read the wall clock."""
        return Instant(self._wall_us)

    def monotonic_us(self) -> int:
        """Read the monotonic clock, in microseconds."""
        return self._monotonic_us

    async def wait(self, signal: Waitable, *, until_us: int | None) -> bool:
        """Wait for *signal*, at the longest until the clock was moved to *until_us*."""
        if until_us is None:
            await signal.wait()
            return True
        if until_us <= self._monotonic_us:
            await checkpoint()
            return False
        with anyio.CancelScope() as scope:
            heapq.heappush(self._waiters, (until_us, next(self._order), scope))
            try:
                await signal.wait()
            finally:
                self._forget(scope)
            return True
        return False

    def _forget(self, scope: anyio.CancelScope) -> None:
        self._waiters = [each for each in self._waiters if each[2] is not scope]
        heapq.heapify(self._waiters)

    def bind(
        self, is_busy: Callable[[], bool], *, on_jump: Callable[[int], None]
    ) -> Callable[[], None]:
        """Wait for somebody to come to rest before each step; see `advance`."""
        party = (is_busy, on_jump)
        self._parties.append(party)
        return lambda: self._parties.remove(party)

    async def advance(self, by: timedelta) -> None:
        """Move both clocks on, stopping wherever somebody waits for.

        Args:
            by: How far; at least 0.
        """
        target_us = self._monotonic_us + span_us(by, name="by")
        await self.run_until_idle()
        while self._waiters and self._waiters[0][0] <= target_us:
            self._move_to(max(self._waiters[0][0], self._monotonic_us))
            await self.run_until_idle()
        self._move_to(target_us)
        await self.run_until_idle()

    async def sleep(self, length: timedelta) -> None:
        """Wait until the clock was moved on by *length*; for handlers under test."""
        until_us = self._monotonic_us + span_us(length, name="length")
        await self.wait(Signal(), until_us=until_us)

    async def advance_to(self, moment: datetime) -> None:
        """Move both clocks on until the wall clock shows *moment*."""
        await self.advance(moment - self.moment)

    def jump(self, by: timedelta) -> None:
        """Set the wall clock only, forwards or back, as a person or a time server does.

        A machine that slept looks the same: the monotonic clock stood still. What
        follows from it has happened after `run_until_idle` or the next `advance`.
        """
        jumped_us = by // timedelta(microseconds=1)
        self._wall_us += jumped_us
        for _, on_jump in self._parties:
            on_jump(jumped_us)

    def _move_to(self, monotonic_us: int) -> None:
        self._wall_us += monotonic_us - self._monotonic_us
        self._monotonic_us = monotonic_us
        while self._waiters and self._waiters[0][0] <= monotonic_us:
            heapq.heappop(self._waiters)[2].cancel()

    async def run_until_idle(self) -> None:
        """Let everything happen that needs no time.

        A handler in a worker thread gets `patience` seconds of real time to end; one
        that takes longer is left alone.
        """
        for _ in range(round(self.patience / THREAD_TURN)):
            if await self._is_quiet():
                await anyio.wait_all_tasks_blocked()
                if not self._is_busy():
                    return
            await anyio.sleep(THREAD_TURN)  # noqa: TID251  real threads need real time

    async def _is_quiet(self) -> bool:
        for _ in range(QUIET_ROUNDS):
            await checkpoint()
            if self._is_busy():
                return False
        return True

    def _is_busy(self) -> bool:
        return any(is_busy() for is_busy, _ in self._parties)
