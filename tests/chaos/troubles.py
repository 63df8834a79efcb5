"""What went wrong, and when: no run may begin later than that explains."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from nvent_sched._engine.clock import SystemClock
from nvent_sched._model.instants import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Iterator

LATE_US_MAX: Final = 2 * SECOND_US
"""How late a run begins that nothing held up, on a machine with much to do."""
CLOCK: Final = SystemClock()


class Troubles:
    """Each from its beginning until whoever it struck must have got over it."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []

    def add(self, *, began_at: int, over_at: int) -> None:
        """Note one that is known."""
        self._spans.append((began_at, over_at))

    @contextmanager
    def during(self, *, recovery_us: int) -> Iterator[None]:
        """Note that something is wrong meanwhile, and for so long after.

        Args:
            recovery_us: How long it takes until others noticed and took over.
        """
        began_at = CLOCK.now()
        try:
            yield
        finally:
            self.add(began_at=began_at, over_at=CLOCK.now() + recovery_us)

    def latest_of(self, due_at: int) -> int:
        """Say when a run that is due then must have begun.

        A trouble holds up what it finds waiting, also what another one held up before.
        """
        latest = due_at + LATE_US_MAX
        for began_at, over_at in sorted(self._spans):
            if began_at <= latest:
                latest = max(latest, over_at + LATE_US_MAX)
        return latest

    def last_before(self, at: int) -> int:
        """Say when the last one before began; what was going then may wait since."""
        return max(
            (began_at for began_at, _ in self._spans if began_at <= at), default=0
        )

    def is_calm(self, at: int) -> bool:
        """Say whether nothing was wrong then."""
        return all(not began_at <= at <= over_at for began_at, over_at in self._spans)

    @property
    def over_at(self) -> int:
        """When the last of them is over."""
        return max((over_at for _, over_at in self._spans), default=0)
