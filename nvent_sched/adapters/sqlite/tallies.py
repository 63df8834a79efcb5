"""Statistics: counters and histograms, added to and read. Steps of a transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.histogram import bucket_of
from nvent_sched._model.runs import EXECUTED, Outcome
from nvent_sched._model.statistics import JobStats, Tally
from nvent_sched.adapters.sqlite.many import write_many
from nvent_sched.adapters.sqlite.rows import clean

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

OUTCOMES: Final = tuple(outcome.value for outcome in Outcome)
RUN_OUTCOMES: Final = frozenset(map(str, EXECUTED))
_COUNTERS: Final = (*OUTCOMES, "retries")
_ZEROS: Final = (0,) * len(OUTCOMES)
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

KINDS: Final = ("duration", "lateness")
KIND_NUMBERS: Final = range(len(KINDS))
"""What there are histograms of; the place here is the number in the table."""

ADD_SUMS: Final = f"INSERT INTO stats (job, {', '.join(_COLUMNS)})"
# A batch with a success in it begins the streak of failures anew, and the other way.
TO_STATS: Final = f"""
ON CONFLICT (job) DO UPDATE SET
    {", ".join(f"{name} = {name} + excluded.{name}" for name in _COUNTERS)},
    success_streak = excluded.success_streak
        + CASE WHEN excluded.last_failure_at IS NULL THEN success_streak ELSE 0 END,
    failure_streak = excluded.failure_streak
        + CASE WHEN excluded.last_success_at IS NULL THEN failure_streak ELSE 0 END,
    last_error = CASE WHEN excluded.last_failure_at IS NULL THEN last_error
        ELSE excluded.last_error END,
    {", ".join(f"{name} = coalesce(excluded.{name}, {name})" for name in _LAST)}
"""

ADD_LENGTHS: Final = "INSERT INTO histogram (job, kind, bucket, count)"
TO_LENGTHS: Final = """
ON CONFLICT (job, kind, bucket) DO UPDATE SET count = count + excluded.count
"""


@dataclass(slots=True)
class _Sum:
    """What a batch adds to one job: many tallies, one write."""

    counts: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    success_streak: int = 0
    failure_streak: int = 0
    last: dict[str, Any] = field(default_factory=dict)

    def add(self, tally: Tally) -> None:
        """Add one more, which is later than those before."""
        outcome = tally.outcome
        if outcome is None:
            self.retries += tally.count
            return
        name = str(outcome)
        self.counts[name] = self.counts.get(name, 0) + tally.count
        if name not in RUN_OUTCOMES:
            return
        last = self.last
        last["last_outcome"], last["last_finished_at"] = name, tally.finished_at
        if tally.started_at is not None:
            last["last_started_at"] = tally.started_at
        if outcome is Outcome.SUCCEEDED:
            self.failure_streak = 0
            self.success_streak += 1
            last["last_success_at"] = tally.finished_at
        elif tally.is_failure:
            self.success_streak = 0
            self.failure_streak += 1
            last["last_failure_at"] = tally.finished_at
            last["last_error"] = clean(tally.error)

    def row(self, job: int) -> list[Any]:
        """Write it: the values of `ADD_SUMS`."""
        return [
            job,
            *map(self.counts.get, OUTCOMES, _ZEROS),
            self.retries,
            self.success_streak,
            self.failure_streak,
            *map(self.last.get, _LAST),
            self.last.get("last_error"),
        ]


def add_tallies(
    connection: sqlite3.Connection, tallies: Iterable[Tally], *, jobs: Mapping[str, int]
) -> None:
    """Add to the statistics of jobs, the oldest tally first.

    Args:
        connection: In a write transaction.
        tallies: What to add; of jobs that are not among *jobs* it is forgotten.
        jobs: The number of each job that exists, by id.
    """
    sums: dict[int, _Sum] = {}
    lengths: dict[tuple[int, int, int], int] = {}
    for tally in tallies:
        job = jobs.get(tally.job_id)
        if job is None:
            continue
        if (part := sums.get(job)) is None:
            part = sums[job] = _Sum()
        part.add(tally)
        if str(tally.outcome) in RUN_OUTCOMES:
            for kind, length in enumerate((tally.duration_us, tally.lateness_us)):
                if length is not None:
                    place = (job, kind, bucket_of(length))
                    lengths[place] = lengths.get(place, 0) + 1
    rows = [part.row(job) for job, part in sums.items()]
    write_many(connection, ADD_SUMS, rows, after=TO_STATS)
    counts = [(*place, count) for place, count in sorted(lengths.items())]
    write_many(connection, ADD_LENGTHS, counts, after=TO_LENGTHS)


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
            f"SELECT id, {', '.join(_COLUMNS)} FROM jobs "  # noqa: S608  our columns
            "JOIN stats ON stats.job = jobs.seq "
            "WHERE id IN (SELECT value FROM json_each(?))",
            [wanted],
        )
    }
    lengths: dict[str, dict[str, dict[int, int]]] = {}
    for job_id, kind, bucket, count in connection.execute(
        "SELECT id, kind, bucket, count FROM jobs "
        "JOIN histogram ON histogram.job = jobs.seq "
        "WHERE id IN (SELECT value FROM json_each(?))",
        [wanted],
    ):
        if kind in KIND_NUMBERS:
            of_job = lengths.setdefault(job_id, {})
            of_job.setdefault(KINDS[kind], {})[bucket] = count
    return tuple(
        _stats_from(found[job_id], lengths.get(job_id, {}))
        if job_id in found
        else JobStats(job_id=job_id)
        for job_id in job_ids
    )


def _stats_from(row: Sequence[Any], lengths: dict[str, dict[int, int]]) -> JobStats:
    known = dict(zip(("job_id", *_COLUMNS), row, strict=True))
    outcome = known["last_outcome"] if known["last_outcome"] in OUTCOMES else None
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
        if kind in KIND_NUMBERS:
            lengths[KINDS[kind]][bucket] = count
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
