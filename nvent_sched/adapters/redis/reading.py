"""From where on readers read the next part of the runs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._model.runs import RunState
from nvent_sched.adapters.redis.rows import PART
from nvent_sched.adapters.redis.run_rows import SCHEDULED_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from nvent_sched._model.queries import Place, RunQuery

SCORE_MAX: Final = 2**62


def place_of(query: RunQuery) -> Place | None:
    """Say before which place a page begins; None for the newest.

    Raises:
        UsageError: `after` is not the `next` of a page.
    """
    ends: Place | None = None if query.until is None else (query.until, "")
    places = [place for place in (ends, query.after_place()) if place is not None]
    return min(places, default=None)


def is_of_live(query: RunQuery) -> bool:
    """Say whether a query finds none but runs that live."""
    return query.states is not None and RunState.FINISHED not in query.states


def place_of_row(row: Sequence[Any]) -> Place | None:
    """Say where a stored run lies in the order of runs; None if that is damaged."""
    run_id, text, *_ = row
    try:
        return int(text.split(PART)[SCHEDULED_TIME]), run_id
    except (ValueError, IndexError):
        return None


def place_in_index(entry: Sequence[str]) -> Place:
    """Say where a run lies in the order of runs, whatever its text says."""
    run_id, at = entry
    # As a whole number, also where somebody has damaged the index.
    return int(max(-SCORE_MAX, min(SCORE_MAX, float(at)))), run_id
