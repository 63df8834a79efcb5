"""The next occurrences of a schedule, with what a clock change does to them. Pure."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from nvent_sched._rules.cron import Cron, Preview

__all__ = ["Preview", "preview_of"]

if TYPE_CHECKING:
    from datetime import datetime

    from nvent_sched._model.schedules import Schedule


def preview_of(schedule: Schedule, *, after: datetime, n: int) -> tuple[Preview, ...]:
    """List the next occurrences.

    Args:
        schedule: Any.
        after: Exclusive.
        n: How many at most; none below 1.
    """
    if isinstance(schedule, Cron):
        return tuple(schedule.preview(after, n))
    return tuple(
        Preview(moment=moment, note=None)
        for moment in islice(schedule.occurrences(after), max(0, n))
    )
