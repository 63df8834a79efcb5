"""The system's clock: the one module that reads the time or waits for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._model.instants import SECOND_US, Instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._port import Waitable

SLICE_US: Final = 30 * SECOND_US
"""The longest single wait: a laptop that slept, or a clock that was set, is noticed."""


class SystemClock:
    """The wall clock and the monotonic clock of this machine."""

    moves_by_itself = True

    def now(self) -> Instant:
        """Read the wall clock."""
        return Instant(time.time_ns() // 1_000)

    def monotonic_us(self) -> int:
        """Read the monotonic clock, in microseconds."""
        return time.monotonic_ns() // 1_000

    async def wait(self, signal: Waitable, *, until_us: int | None) -> bool:
        """Wait for *signal*, at the longest until `monotonic_us()` is *until_us*."""
        if until_us is None:
            await signal.wait()
            return True
        while (left_us := until_us - self.monotonic_us()) > 0:
            with anyio.move_on_after(min(left_us, SLICE_US) / SECOND_US):
                await signal.wait()
                return True
        return False

    def bind(
        self, is_busy: Callable[[], bool], *, on_jump: Callable[[int], None]
    ) -> Callable[[], None]:
        """Do nothing: this clock moves by itself, and nobody tells it of a jump."""
        del is_busy, on_jump
        return _nothing


def _nothing() -> None:
    """Undo nothing."""
