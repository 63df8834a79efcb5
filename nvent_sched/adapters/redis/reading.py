"""What readers want: which records, and from where on the next part is read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched.adapters.redis.rows import PART
from nvent_sched.adapters.redis.run_rows import SCHEDULED_TIME
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from nvent_sched._model.jobs import Job
    from nvent_sched._model.queries import JobQuery, RunQuery
    from nvent_sched._model.runs import Run

Place = tuple[int, str]


def is_wanted_job(query: JobQuery, job: Job) -> bool:
    """Say whether a query finds a job."""
    definition = job.definition
    if query.text is not None:
        text = query.text.casefold()
        if not any(text in it.casefold() for it in (definition.id, definition.name)):
            return False
    return (
        query.status in {None, job.status}
        and query.handler in {None, definition.handler}
        and (query.tag is None or query.tag in definition.tags)
    )


def is_wanted_run(query: RunQuery, run: Run) -> bool:
    """Say whether a query finds a run."""
    return (
        query.job_id in {None, run.job_id}
        and (query.states is None or run.state in query.states)
        and (query.outcomes is None or run.outcome in query.outcomes)
        and query.origin in {None, run.origin}
        and query.instance in {None, run.instance}
        and (query.since is None or run.scheduled_time >= query.since)
        and (query.until is None or run.scheduled_time < query.until)
    )


def place_of(query: RunQuery) -> Place | None:
    """Say before which place a page begins; None for the newest.

    Raises:
        UsageError: `after` is not the `next` of a page.
    """
    places: list[Place] = []
    if query.until is not None:
        places.append((query.until, ""))
    if query.after is not None:
        at, _, run_id = query.after.partition(":")
        try:
            places.append((int(at), run_id))
        except ValueError as error:
            msg = f"`after` must be the `next` of the page before, not {query.after!r}"
            raise UsageError(msg) from error
    return min(places, default=None)


def place_of_row(row: Sequence[Any]) -> Place | None:
    """Say where a stored run lies in the order of runs; None if that is damaged."""
    run_id, text, *_ = row
    try:
        return int(text.split(PART)[SCHEDULED_TIME]), run_id
    except (ValueError, IndexError):
        return None
