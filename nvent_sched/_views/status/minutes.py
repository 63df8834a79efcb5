"""How many runs ended in each minute of the last hour. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import SECOND_US

if TYPE_CHECKING:
    from nvent_sched._model.instants import Instant

MINUTES: Final = 60
MINUTE_US: Final = 60 * SECOND_US


class Minutes:
    """Runs and failures by minute, for an hour.

    Attributes:
        since: From when on every run is counted; None for the whole hour.
    """

    def __init__(self) -> None:
        self.since: Instant | None = None
        # The minute since the epoch, runs, failures; ordered.
        self._bins: deque[list[int]] = deque(maxlen=MINUTES)

    def note(self, at: Instant, *, is_failure: bool) -> None:
        """Count a run that ended; one from before the hour is left out."""
        minute = at // MINUTE_US
        if not self._bins or minute > self._bins[-1][0]:
            self._bins.append([minute, 1, int(is_failure)])
            return
        for known in reversed(self._bins):
            if known[0] == minute:
                known[1] += 1
                known[2] += is_failure
                return
            if known[0] < minute:
                break
        self._insert(minute, is_failure=is_failure)

    def _insert(self, minute: int, *, is_failure: bool) -> None:
        if self._bins[-1][0] - minute < MINUTES:
            ordered = sorted([*self._bins, [minute, 1, int(is_failure)]])
            self._bins = deque(ordered, maxlen=MINUTES)

    def clear(self) -> None:
        """Forget all."""
        self._bins.clear()
        self.since = None

    def until(self, now: Instant) -> tuple[tuple[int, int], ...]:
        """List runs and failures of the last 60 minutes, the current one last."""
        last = now // MINUTE_US
        known = {minute: (runs, failed) for minute, runs, failed in self._bins}
        return tuple(known.get(last - ago, (0, 0)) for ago in reversed(range(MINUTES)))
