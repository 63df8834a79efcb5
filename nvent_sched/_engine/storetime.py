"""What time it is for the store. An instance's own clock only waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from nvent_sched._model.instants import SECOND_US, Instant

if TYPE_CHECKING:
    from nvent_sched._port import Clock

JUMP_US: Final = SECOND_US
RATE_PPM_MAX: Final = 100
"""By how many millionths one clock may run faster than another."""


class _Seen(NamedTuple):
    """How far the store's clock is ahead of the monotonic clock, at least; seen when."""

    offset_us: int
    at_us: int


class StoreTime:
    """An estimate of the store's clock, refreshed by each of its answers: never ahead.

    For a store without a clock of its own it is this machine's wall clock.
    """

    def __init__(self, clock: Clock, *, has_own_clock: bool) -> None:
        self._clock = clock
        self._has_own_clock = has_own_clock
        self._offset_us: int | None = None
        self._best: _Seen | None = None

    def now(self) -> Instant:
        """Say the store's time."""
        if not self._has_own_clock or self._offset_us is None:
            return self._clock.now()
        return Instant(self._clock.monotonic_us() + self._offset_us)

    def observe(self, now: Instant, *, asked_at_us: int) -> None:
        """Take the time that an answer tells.

        It was later than that when the answer came, so nothing begins early, however slow
        the way to the store was. A better answer before it counts for more, as long as this
        one does not contradict it: then a clock was set.
        """
        answered_at_us = self._clock.monotonic_us()
        least_us, most_us = now - answered_at_us, now - asked_at_us
        faded_us = self._faded_us(answered_at_us)
        if faded_us is None or not least_us <= faded_us <= most_us:
            self._best = _Seen(offset_us=least_us, at_us=answered_at_us)
            faded_us = least_us
        self._offset_us = faded_us

    def _faded_us(self, now_us: int) -> int | None:
        """Say what is left of the best answer, as clocks run at different rates."""
        if self._best is None:
            return None
        age_us = now_us - self._best.at_us
        return self._best.offset_us - age_us * RATE_PPM_MAX // 1_000_000

    def drift_us(self) -> int:
        """Say how far the store's time is from the monotonic clock, in microseconds.

        Nearly always the same: a change of `JUMP_US` or more is a clock that was set.
        """
        return self.now() - self._clock.monotonic_us()

    def was_set_since(self, drift_us: int) -> bool:
        """Whether a clock was set since the drift was *drift_us*."""
        return abs(self.drift_us() - drift_us) >= JUMP_US

    def monotonic_of(self, instant: Instant) -> int:
        """Say where on the monotonic clock an instant lies, as things stand."""
        return self._clock.monotonic_us() + (instant - self.now())
