"""Jobs: write and drop them. Steps of a transaction.

What a batch wants to change is read first, in one statement, and judged here; then what
shall be written is written, each kind in one `executemany`. Nothing can come in between:
the transaction holds the write lock from its beginning.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import STALE, STORED
from nvent_sched.adapters.sqlite.rows import STANDING, job_row

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from nvent_sched._model.claims import JobWrite, Verdict
    from nvent_sched._model.instants import Instant

_STANDING_MARKS: Final = ", ".join("?" * len(STANDING.split(",")))
_STANDING_SET: Final = ", ".join(f"{name.strip()} = ?" for name in STANDING.split(","))

VERSIONS: Final = """
SELECT jobs.id, jobs.version FROM json_each(?) AS wanted
CROSS JOIN jobs ON jobs.id = wanted.value
"""
INSERT_JOB: Final = f"""
INSERT INTO jobs (id, name, handler, definition, {STANDING})
VALUES (?, ?, ?, ?, {_STANDING_MARKS})
"""  # noqa: S608  only our own column names
UPDATE_JOB: Final = f"""
UPDATE jobs SET name = ?, handler = ?, definition = ?, {_STANDING_SET},
    quarantine = NULL
WHERE id = ?
"""  # noqa: S608  only our own column names
KNOWN: Final = """
SELECT jobs.id, jobs.seq, jobs.looks_on_finish AND jobs.quarantine IS NULL
FROM json_each(?) AS wanted CROSS JOIN jobs ON jobs.id = wanted.value
"""
LOOK_ON_FINISH: Final = """
UPDATE jobs SET look_at = min(coalesce(look_at, :now), :now), version = version + 1
WHERE seq = :seq
"""


def put_jobs(
    connection: sqlite3.Connection, writes: Sequence[JobWrite]
) -> tuple[Verdict, ...]:
    """Write each job whose stored version is the one that was seen."""
    wanted = json.dumps([write.job.id for write in writes])
    versions: dict[str, int] = dict(connection.execute(VERSIONS, [wanted]).fetchall())
    verdicts: list[Verdict] = []
    new: list[Sequence[Any]] = []
    changed: list[Sequence[Any]] = []
    for write in writes:
        job = write.job
        if versions.get(job.id, 0) != write.seen_version:
            verdicts.append(STALE)
            continue
        versions[job.id] = job.version
        verdicts.append(STORED)
        row = job_row(job)
        if write.seen_version == 0:
            new.append(row)
        else:
            changed.append((*row[1:], row[0]))
    # A job that is new comes before all that changes it.
    connection.executemany(INSERT_JOB, new)
    connection.executemany(UPDATE_JOB, changed)
    return tuple(verdicts)


def drop_jobs(
    connection: sqlite3.Connection, job_ids: Sequence[str]
) -> tuple[str, ...]:
    """Forget jobs with their statistics, history and runs nobody has claimed."""
    return tuple(job_id for job_id in job_ids if drop_job(connection, job_id))


def drop_job(connection: sqlite3.Connection, job_id: str) -> bool:
    """Forget a job; say whether there was one."""
    found = connection.execute(
        "DELETE FROM jobs WHERE id = ? RETURNING seq", [job_id]
    ).fetchall()
    for number in found:
        connection.execute("DELETE FROM stats WHERE job = ?", number)
        connection.execute("DELETE FROM histogram WHERE job = ?", number)
        connection.execute(
            "DELETE FROM runs WHERE job_id = ? AND state <> 'claimed'", [job_id]
        )
    return bool(found)


class KnownJobs:
    """Which of some jobs exist, their numbers, and which look when a run ends."""

    def __init__(self, connection: sqlite3.Connection, job_ids: Iterable[str]) -> None:
        wanted = json.dumps(list(dict.fromkeys(job_ids)))
        rows = connection.execute(KNOWN, [wanted]).fetchall()
        self._connection = connection
        self.numbers: dict[str, int] = {row[0]: row[1] for row in rows}
        self._looking = {row[0] for row in rows if row[2]}

    def look_on_finish(self, job_ids: Iterable[str], *, now: Instant) -> None:
        """Look at those of these jobs that wait for a run of theirs to end."""
        self._connection.executemany(
            LOOK_ON_FINISH,
            [
                {"now": now, "seq": self.numbers[job_id]}
                for job_id in dict.fromkeys(job_ids)
                if job_id in self._looking
            ],
        )
