"""Many deadlines, one waiting task.

A cancel scope with a deadline of its own would be kept by the event loop's clock, which
no test can drive; a task for each would cost more than the handler. So a heap of what to
do when, and one loop.
"""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

from nvent_sched._engine.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._port import Clock


class Deadline:
    """Something that happens at an instant unless it is called off.

    Attributes:
        at_us: When, on the monotonic clock; may be moved later at any time.
    """

    __slots__ = ("act", "at_us")

    def __init__(self, *, at_us: int, act: Callable[[], None]) -> None:
        self.at_us: int = at_us
        self.act: Callable[[], None] | None = act

    def call_off(self) -> None:
        """Forget it."""
        self.act = None


class Deadlines:
    """Keeps deadlines; `run` is the loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Deadline]] = []
        self._order = count()
        self._changed = Signal()

    def add(self, *, at_us: int, act: Callable[[], None]) -> Deadline:
        """Do *act* at *at_us*, in the loop's thread. It must not wait or raise."""
        deadline = Deadline(at_us=at_us, act=act)
        self._push(deadline)
        return deadline

    def _push(self, deadline: Deadline) -> None:
        entry = (deadline.at_us, next(self._order), deadline)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry:
            self._changed.set()

    async def run(self) -> None:
        """Act when the time has come; ends by cancellation."""
        while True:
            self._act_on_due()
            until_us = self._heap[0][0] if self._heap else None
            await self._clock.wait(self._changed, until_us=until_us)

    def _act_on_due(self) -> None:
        now_us = self._clock.monotonic_us()
        while self._heap and self._heap[0][0] <= now_us:
            _, _, deadline = heapq.heappop(self._heap)
            if deadline.act is None:
                continue
            if deadline.at_us > now_us:
                self._push(deadline)
                continue
            deadline.act()
