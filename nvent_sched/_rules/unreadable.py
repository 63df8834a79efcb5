"""What stands for a schedule that cannot be read: it is shown, and never due. Pure.

A release that knows more kinds of schedules may have stored it, or its bytes were
damaged. The planner pauses its job with the reason; whoever lists jobs sees it there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from nvent_sched._model.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A schedule that cannot be read.

    Attributes:
        text: As it is stored.
        reason: Why it cannot be read.
    """

    text: str
    reason: str

    def next_after(self, moment: datetime, /) -> datetime | None:  # noqa: ARG002  never
        """Say that there is none."""
        return None

    def occurrences(self, after: datetime, /) -> Iterator[datetime]:  # noqa: ARG002  never
        """Iterate over none."""
        return iter(())

    def next_instant(self, after: Instant, /) -> Instant | None:  # noqa: ARG002  never
        """Say that there is none."""
        return None

    def anchored(self, at: Instant, /) -> Unreadable:  # noqa: ARG002  it has no phase
        """Stay as it is."""
        return self

    def spec(self) -> str:
        """Give the text as it is stored."""
        return self.text

    def describe(self) -> str:
        """Say that it cannot be read, and why."""
        return self.reason
