"""What time it is for the store. An instance's own clock only waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import SECOND_US, Instant

if TYPE_CHECKING:
    from nvent_sched._port import Clock

JUMP_US: Final = SECOND_US


class StoreTime:
    """An estimate of the store's clock, refreshed by each of its answers.

    For a store without a clock of its own it is this machine's wall clock.
    """

    def __init__(self, clock: Clock, *, has_own_clock: bool) -> None:
        self._clock = clock
        self._has_own_clock = has_own_clock
        self._offset_us: int | None = None

    def now(self) -> Instant:
        """Say the store's time."""
        if not self._has_own_clock or self._offset_us is None:
            return self._clock.now()
        return Instant(self._clock.monotonic_us() + self._offset_us)

    def observe(self, now: Instant, *, asked_at_us: int) -> None:
        """Take an answer's time as that of the middle of the round trip."""
        middle_us = (asked_at_us + self._clock.monotonic_us()) // 2
        self._offset_us = now - middle_us

    def drift_us(self) -> int:
        """Say how far the store's time is from the monotonic clock, in microseconds.

        Nearly always the same: a change of `JUMP_US` or more is a clock that was set.
        """
        return self.now() - self._clock.monotonic_us()

    def monotonic_of(self, instant: Instant) -> int:
        """Say where on the monotonic clock an instant lies, as things stand."""
        return self._clock.monotonic_us() + (instant - self.now())
