"""Rows, details and the head as plain JSON values, for a view outside of Python. Pure.

All times are milliseconds since 1970, all lengths milliseconds. A row is a flat list in the
order of `COLUMNS`, which `dashboard.js` knows by the same names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.instants import MILLISECOND_US

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvent_sched._model.instances import Instance
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.runs import Run
    from nvent_sched._views.status.detail import JobDetail
    from nvent_sched._views.status.model import StatusModel
    from nvent_sched._views.status.rows import Row

COLUMNS: Final = (
    "id",
    "name",
    "role",
    "words",
    "tags",
    "status",
    "note",
    "next",
    "going",
    "started",
    "progress",
    "progressNote",
    "attempt",
    "again",
    "outcome",
    "finished",
    "took",
    "usual",
    "strip",
    "runs",
    "failures",
    "streak",
    "error",
)
SHARE_DIGITS: Final = 4


def ms_of(time_us: int | None) -> int | None:
    """Turn microseconds into milliseconds."""
    return None if time_us is None else time_us // MILLISECOND_US


def length_ms(length_us: int | None) -> float | None:
    """Turn a length into milliseconds, short ones with their fraction."""
    if length_us is None:
        return None
    return length_us / MILLISECOND_US if length_us < 10_000 else ms_of(length_us)  # noqa: PLR2004


def row_list(row: Row) -> list[Any]:
    """Write a row."""
    share = row.progress
    return [
        row.id,
        "" if row.name == row.id else row.name,
        row.role.value,
        row.words,
        row.tags,
        row.status.value,
        row.note,
        ms_of(row.next_due),
        row.going,
        ms_of(row.started_at),
        None if share is None else round(share, SHARE_DIGITS),
        row.progress_note,
        row.attempt,
        ms_of(row.again_at),
        None if row.last_outcome is None else row.last_outcome.value,
        ms_of(row.last_finished_at),
        length_ms(row.last_duration_us),
        length_ms(row.usual_us),
        row.strip,
        row.runs,
        row.failures,
        row.failure_streak,
        row.error,
    ]


def head_dict(
    model: StatusModel, *, now: Instant, own_id: str, dead_after_us: int
) -> dict[str, Any]:
    """Write what is above the rows.

    Args:
        model: Whose.
        now: The present.
        own_id: The instance that draws this.
        dead_after_us: When an instance that is silent counts as dead.
    """
    return {
        "url": model.url,
        "leftOut": model.left_out,
        "trouble": model.trouble,
        "minutes": model.minutes.until(now),
        "rateFrom": ms_of(model.minutes.since),
        "deadAfter": ms_of(dead_after_us),
        "instances": [_instance_dict(each, own_id=own_id) for each in model.instances],
    }


def _instance_dict(instance: Instance, *, own_id: str) -> dict[str, Any]:
    return {
        "id": instance.id,
        "host": instance.host,
        "pid": instance.pid,
        "release": instance.release,
        "started": ms_of(instance.started_at),
        "beat": ms_of(instance.heartbeat_at),
        "slots": instance.slots,
        "running": instance.running,
        "own": instance.id == own_id,
    }


def detail_dict(detail: JobDetail) -> dict[str, Any]:
    """Write a job's panel."""
    return {
        "id": detail.id,
        "facts": detail.facts,
        "policies": detail.policies,
        "coming": [
            {"at": ms_of(each.at), "text": each.text, "note": each.note}
            for each in detail.coming
        ],
        "runs": [
            {
                "id": each.id,
                "state": each.state,
                "outcome": None if each.outcome is None else each.outcome.value,
                "origin": each.origin,
                "scheduled": ms_of(each.scheduled_time),
                "started": ms_of(each.started_at),
                "finished": ms_of(each.finished_at),
                "took": _took_ms(each.started_at, each.finished_at),
                "attempt": each.attempt,
                "instance": each.instance,
                "count": each.count,
                "text": each.text,
            }
            for each in detail.runs
        ],
        "error": detail.error,
        "errorAt": ms_of(detail.error_at),
        "log": detail.log,
        "logRun": detail.log_run,
    }


def _took_ms(started_at: Instant | None, finished_at: Instant | None) -> float | None:
    if started_at is None or finished_at is None:
        return None
    return length_ms(max(0, finished_at - started_at))


def lane_dict(runs: Iterable[Run], *, coming: Iterable[Instant]) -> dict[str, Any]:
    """Write one job's lane of the timeline: what was, and when it is due."""
    past = [
        (
            ms_of(run.started_at or run.scheduled_time),
            ms_of(run.finished_at),
            "going" if run.outcome is None else run.outcome.value,
        )
        for run in runs
        if run.outcome is not None or run.started_at is not None
    ]
    return {"past": past, "coming": [ms_of(each) for each in coming]}
