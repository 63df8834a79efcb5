"""The schedule of what has none: it happens when somebody asks for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from nvent_sched._model.instants import Instant

SPEC: Final = '{"kind":"demand"}'


@dataclass(frozen=True, slots=True)
class OnDemand:
    """No occurrence at all; for triggers that are only fired, and their subscribers."""

    def anchored(self, at: Instant, /) -> OnDemand:
        """Stay as it is: nothing is relative."""
        del at
        return self

    def next_instant(self, after: Instant, /) -> Instant | None:
        """Say that there is none."""
        del after
        return None

    def next_after(self, moment: datetime, /) -> datetime | None:
        """Say that there is none."""
        del moment
        return None

    def occurrences(self, after: datetime, /) -> Iterator[datetime]:
        """Iterate over none."""
        del after
        return iter(())

    def spec(self) -> str:
        """Write it as canonical JSON."""
        return SPEC

    def describe(self) -> str:
        """Say it in words."""
        return "when it is fired"
