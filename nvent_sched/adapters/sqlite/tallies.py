"""Statistics: counters and histograms, added to and read. Steps of a transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.histogram import bucket_of
from nvent_sched._model.runs import EXECUTED, Outcome
from nvent_sched._model.statistics import JobStats, Tally

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

OUTCOMES: Final = tuple(outcome.value for outcome in Outcome)
_COUNTERS: Final = (*OUTCOMES, "retries")
_LAST: Final = (
    "last_outcome",
    "last_started_at",
    "last_finished_at",
    "last_success_at",
    "last_failure_at",
)
_COLUMNS: Final = (
    *_COUNTERS,
    "success_streak",
    "failure_streak",
    *_LAST,
    "last_error",
)

ADD_TALLY: Final = f"""
INSERT INTO stats (job_id, {", ".join(_COLUMNS)})
VALUES (?, {", ".join("?" * len(_COLUMNS))})
ON CONFLICT (job_id) DO UPDATE SET
    {", ".join(f"{name} = {name} + excluded.{name}" for name in _COUNTERS)},
    success_streak = CASE WHEN excluded.failure_streak THEN 0
        ELSE success_streak + excluded.success_streak END,
    failure_streak = CASE WHEN excluded.success_streak THEN 0
        ELSE failure_streak + excluded.failure_streak END,
    last_error = CASE WHEN excluded.failure_streak THEN excluded.last_error
        ELSE last_error END,
    {", ".join(f"{name} = coalesce(excluded.{name}, {name})" for name in _LAST)}
"""  # noqa: S608  only our own column names

KNOWN: Final = "SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?))"
ADD_LENGTH: Final = """
INSERT INTO histogram (job_id, kind, bucket, count) VALUES (?, ?, ?, 1)
ON CONFLICT (job_id, kind, bucket) DO UPDATE SET count = count + 1
"""


def add_tallies(connection: sqlite3.Connection, tallies: Sequence[Tally]) -> None:
    """Add to the statistics of jobs that exist."""
    if not tallies:
        return
    wanted = json.dumps(list({tally.job_id for tally in tallies}))
    known = {row[0] for row in connection.execute(KNOWN, [wanted])}
    rows: list[tuple[Any, ...]] = []
    lengths: list[tuple[str, str, int]] = []
    for tally in tallies:
        if tally.job_id not in known:
            continue
        rows.append(_tally_row(tally))
        if tally.outcome not in EXECUTED:
            continue
        if tally.duration_us is not None:
            lengths.append((tally.job_id, "duration", bucket_of(tally.duration_us)))
        if tally.lateness_us is not None:
            lengths.append((tally.job_id, "lateness", bucket_of(tally.lateness_us)))
    connection.executemany(ADD_TALLY, rows)
    connection.executemany(ADD_LENGTH, lengths)


def _tally_row(tally: Tally) -> tuple[Any, ...]:
    outcome = None if tally.outcome is None else tally.outcome.value
    is_run = tally.outcome in EXECUTED
    is_success, is_failure = tally.is_success, tally.is_failure
    at = tally.finished_at
    return (
        tally.job_id,
        *(tally.count if outcome == name else 0 for name in OUTCOMES),
        tally.count if outcome is None else 0,
        int(is_success),
        int(is_failure),
        outcome if is_run else None,
        tally.started_at if is_run else None,
        at if is_run else None,
        at if is_success else None,
        at if is_failure else None,
        tally.error if is_failure else None,
    )


def read_stats(
    connection: sqlite3.Connection, job_ids: Sequence[str] | None
) -> tuple[JobStats, ...]:
    """Read the statistics of jobs, in order; None for all added up."""
    if job_ids is None:
        return (_total(connection),)
    wanted = json.dumps(list(job_ids))
    found = {
        row[0]: row
        for row in connection.execute(
            f"SELECT job_id, {', '.join(_COLUMNS)} FROM stats "  # noqa: S608  our columns
            "WHERE job_id IN (SELECT value FROM json_each(?))",
            [wanted],
        )
    }
    lengths: dict[str, dict[str, dict[int, int]]] = {}
    for job_id, kind, bucket, count in connection.execute(
        "SELECT job_id, kind, bucket, count FROM histogram "
        "WHERE job_id IN (SELECT value FROM json_each(?))",
        [wanted],
    ):
        lengths.setdefault(job_id, {}).setdefault(kind, {})[bucket] = count
    return tuple(
        _stats_from(found[job_id], lengths.get(job_id, {}))
        if job_id in found
        else JobStats(job_id=job_id)
        for job_id in job_ids
    )


def _stats_from(row: Sequence[Any], lengths: dict[str, dict[int, int]]) -> JobStats:
    known = dict(zip(("job_id", *_COLUMNS), row, strict=True))
    outcome = known["last_outcome"]
    return JobStats(
        job_id=known["job_id"],
        counts={
            Outcome(name): count for name in OUTCOMES if (count := known[name] or 0)
        },
        retries=known["retries"] or 0,
        success_streak=known["success_streak"],
        failure_streak=known["failure_streak"],
        last_outcome=None if outcome is None else Outcome(outcome),
        last_started_at=known["last_started_at"],
        last_finished_at=known["last_finished_at"],
        last_success_at=known["last_success_at"],
        last_failure_at=known["last_failure_at"],
        last_error=known["last_error"],
        duration=lengths.get("duration", {}),
        lateness=lengths.get("lateness", {}),
    )


def _total(connection: sqlite3.Connection) -> JobStats:
    latest = (
        "last_started_at",
        "last_finished_at",
        "last_success_at",
        "last_failure_at",
    )
    sums = ", ".join(f"sum({name})" for name in _COUNTERS)
    ends = ", ".join(f"max({name})" for name in latest)
    row = connection.execute(
        f"SELECT {sums}, {ends} FROM stats"  # noqa: S608  our own column names
    ).fetchone()
    known = dict(zip((*_COUNTERS, *latest), row, strict=True))
    lengths: dict[str, dict[int, int]] = {"duration": {}, "lateness": {}}
    for kind, bucket, count in connection.execute(
        "SELECT kind, bucket, sum(count) FROM histogram GROUP BY kind, bucket"
    ):
        lengths[kind][bucket] = count
    return JobStats(
        job_id="",
        counts={
            Outcome(name): count for name in OUTCOMES if (count := known[name] or 0)
        },
        retries=known["retries"] or 0,
        last_started_at=known["last_started_at"],
        last_finished_at=known["last_finished_at"],
        last_success_at=known["last_success_at"],
        last_failure_at=known["last_failure_at"],
        duration=lengths["duration"],
        lateness=lengths["lateness"],
    )
