"""One true time, and a clock for each simulated instance that may show another.

Time moves only when every task waits for something. A host that is frozen (SIGSTOP, a
blocked loop, a long collection of garbage) does not go on from where it waits until it is
thawed, while the time of all others passes.
"""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Final

import anyio
from anyio.lowlevel import checkpoint

from nvent_sched._engine.signals import Signal
from nvent_sched._model.instants import MILLISECOND_US, Instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._port import Waitable

BEGIN: Final = Instant(1_767_225_600_000_000)
"""2026-01-01T00:00Z, when every simulation begins."""
JUMP_SEEN_US: Final = 250 * MILLISECOND_US
"""How long a jump of its clock takes an instance to notice: the tick of its watch."""


class Timeline:
    """The true time of a simulation, and who waits for which moment of it."""

    def __init__(self) -> None:
        self.elapsed_us: int = 0
        self._waiters: list[tuple[int, int, anyio.CancelScope]] = []
        self._order = count()
        self._is_over = False

    def now(self) -> Instant:
        """Say the true time."""
        return Instant(BEGIN + self.elapsed_us)

    async def wait(self, signal: Waitable, *, until_us: int | None) -> bool:
        """Wait for *signal*, at the longest until so much has elapsed."""
        if until_us is None:
            await signal.wait()
            return True
        if self._is_over or until_us <= self.elapsed_us:
            await checkpoint()
            return False
        with anyio.CancelScope() as scope:
            entry = (until_us, next(self._order), scope)
            heapq.heappush(self._waiters, entry)
            try:
                await signal.wait()
            finally:
                if not scope.cancel_called:
                    self._waiters.remove(entry)
                    heapq.heapify(self._waiters)
            return True
        return False

    def end(self) -> None:
        """Let nobody wait for a moment any more: none will come."""
        self._is_over = True
        for _, _, scope in self._waiters:
            scope.cancel()
        self._waiters.clear()

    async def run_until(self, until_us: int) -> None:
        """Let everything happen up to a moment."""
        await anyio.wait_all_tasks_blocked()
        while self._waiters and self._waiters[0][0] <= until_us:
            self.elapsed_us = max(self.elapsed_us, self._waiters[0][0])
            while self._waiters and self._waiters[0][0] <= self.elapsed_us:
                heapq.heappop(self._waiters)[2].cancel()
            await anyio.wait_all_tasks_blocked()
        self.elapsed_us = until_us
        await anyio.wait_all_tasks_blocked()


class HostClock:
    """What one instance takes for the time.

    Args:
        timeline: The true time.
        offset_us: By how much its wall clock is ahead of it; may be negative.
    """

    moves_by_itself = False

    def __init__(self, timeline: Timeline, *, offset_us: int = 0) -> None:
        self.timeline = timeline
        self.offset_us: int = offset_us
        self._jump_seen: list[Callable[[int], None]] = []
        self._thawed: anyio.Event | None = None

    def now(self) -> Instant:
        """Read the wall clock."""
        return Instant(self.timeline.now() + self.offset_us)

    def monotonic_us(self) -> int:
        """Read the monotonic clock: it goes on while the process is stopped."""
        return self.timeline.elapsed_us

    async def wait(self, signal: Waitable, *, until_us: int | None) -> bool:
        """Wait for *signal*, at the longest until `monotonic_us()` is *until_us*."""
        came = await self.timeline.wait(signal, until_us=until_us)
        await self.pass_gate()
        return came

    async def sleep(self, length_us: int) -> None:
        """Wait for so long."""
        await self.wait(Signal(), until_us=self.monotonic_us() + length_us)

    def bind(
        self, is_busy: Callable[[], bool], *, on_jump: Callable[[int], None]
    ) -> Callable[[], None]:
        """Remember whom to tell of a jump."""
        del is_busy  # the timeline knows when nothing goes on
        self._jump_seen.append(on_jump)
        return lambda: self._jump_seen.remove(on_jump)

    def jump(self, by_us: int) -> None:
        """Set the wall clock; nobody is told yet."""
        self.offset_us += by_us

    def notice_jump(self, by_us: int) -> None:
        """Tell whoever reads this clock that it was set."""
        for tell in tuple(self._jump_seen):
            tell(by_us)

    @property
    def is_frozen(self) -> bool:
        """Whether the host is stopped."""
        return self._thawed is not None

    def freeze(self) -> None:
        """Stop the host wherever its tasks next wait or ask the store."""
        if self._thawed is None:
            self._thawed = anyio.Event()

    def thaw(self) -> None:
        """Let the host go on."""
        thawed, self._thawed = self._thawed, None
        if thawed is not None:
            thawed.set()

    async def pass_gate(self) -> None:
        """Go on only while the host is not stopped."""
        while self._thawed is not None:
            await self._thawed.wait()
