"""What every schedule can be asked. The answers live in `_rules`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from nvent_sched._model.instants import Instant


@runtime_checkable
class Schedule(Protocol):
    """When: a pure, hashable value that knows its occurrences."""

    def next_after(self, moment: datetime, /) -> datetime | None:
        """Say the first occurrence strictly after *moment*, or None for never."""
        ...

    def occurrences(self, after: datetime, /) -> Iterator[datetime]:
        """Iterate over the occurrences strictly after *after*, in order."""
        ...

    def next_instant(self, after: Instant, /) -> Instant | None:
        """Say the same as `next_after`, in instants; what the rules use."""
        ...

    def anchored(self, at: Instant, /) -> Schedule:
        """Fix what is relative (a phase, "in an hour") to *at*; else return self."""
        ...

    def spec(self) -> str:
        """Write the schedule as canonical JSON; equal schedules, equal text."""
        ...

    def describe(self) -> str:
        """Say the schedule in words, one sentence without a full stop."""
        ...
