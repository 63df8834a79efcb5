"""Jobs: write, drop, find what is due, commit plans. Steps of a transaction.

Two rules keep a job from being forgotten. A run that ends while its job `looks_on_finish`
makes the job be looked at, and grows its version: a plan decided before the end must not
overwrite the look. And a plan that leaves a job waiting for an end none of its runs can
bring any more is written with a look at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import (
    STALE,
    STORED,
    Committed,
    DueBatch,
    DueJob,
    LiveRun,
    Stale,
)
from nvent_sched._model.runs import Outcome, Run, RunState
from nvent_sched._model.statistics import Tally
from nvent_sched.adapters.sqlite.rows import (
    JOB,
    RUN,
    STANDING,
    job_from,
    job_row,
    live_from,
    run_row,
    standing_of,
)
from nvent_sched.adapters.sqlite.tallies import add_tallies
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from nvent_sched._model.claims import JobWrite, Plan, Verdict
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job

_STANDING_MARKS: Final = ", ".join("?" * len(STANDING.split(",")))
_STANDING_SET: Final = ", ".join(f"{name.strip()} = ?" for name in STANDING.split(","))
_RUN_MARKS: Final = ", ".join("?" * len(RUN.split(",")))

INSERT_JOB: Final = f"""
INSERT INTO jobs (id, name, handler, definition, {STANDING})
VALUES (?, ?, ?, ?, {_STANDING_MARKS}) ON CONFLICT (id) DO NOTHING
"""  # noqa: S608  only our own column names
UPDATE_JOB: Final = f"""
UPDATE jobs SET name = ?, handler = ?, definition = ?, {_STANDING_SET},
    quarantine = NULL
WHERE id = ? AND version = ?
"""  # noqa: S608  only our own column names
ADVANCE_JOB: Final = f"""
UPDATE jobs SET {_STANDING_SET} WHERE id = ? AND version = ?
"""  # noqa: S608  only our own column names
INSERT_RUN: Final = f"""
INSERT INTO runs ({RUN}) VALUES ({_RUN_MARKS}) ON CONFLICT (id) DO NOTHING
"""  # noqa: S608  only our own column names
DUE: Final = """
SELECT id FROM jobs
WHERE look_at IS NOT NULL AND look_at <= ?
    AND handler IN (SELECT value FROM json_each(?))
ORDER BY look_at, id LIMIT ?
"""
NEXT_LOOK: Final = """
SELECT look_at FROM jobs
WHERE look_at IS NOT NULL AND handler IN (SELECT value FROM json_each(?))
ORDER BY look_at LIMIT 1 OFFSET ?
"""
NEXT_READY: Final = """
SELECT ready_at FROM runs
WHERE state = 'ready' AND handler IN (SELECT value FROM json_each(?))
ORDER BY ready_at LIMIT 1
"""
LIVE: Final = """
SELECT id, state, scheduled_time, due_time, cancel_reason, job_id FROM runs
WHERE state IN ('waiting', 'ready', 'claimed')
    AND job_id IN (SELECT value FROM json_each(?))
"""
WAITING_FOR_FINISH: Final = """
SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?))
    AND looks_on_finish AND quarantine IS NULL
"""
LOOK_ON_FINISH: Final = """
UPDATE jobs SET look_at = min(coalesce(look_at, :now), :now), version = version + 1
WHERE id = :id
"""


def put_jobs(
    connection: sqlite3.Connection, writes: Sequence[JobWrite]
) -> tuple[Verdict, ...]:
    """Write each job whose stored version is the one that was seen."""
    if all(write.seen_version == 0 for write in writes):
        return _insert_jobs(connection, writes)
    return tuple(_put_job(connection, write) for write in writes)


def _insert_jobs(
    connection: sqlite3.Connection, writes: Sequence[JobWrite]
) -> tuple[Verdict, ...]:
    """Insert in one go if all are new, which they mostly are."""
    rows = [job_row(write.job) for write in writes]
    before = connection.total_changes
    connection.execute("SAVEPOINT many")
    connection.executemany(INSERT_JOB, rows)
    if connection.total_changes - before == len(rows):
        connection.execute("RELEASE many")
        return (STORED,) * len(rows)
    connection.execute("ROLLBACK TO many")
    connection.execute("RELEASE many")
    return tuple(_put_job(connection, write) for write in writes)


def _put_job(connection: sqlite3.Connection, write: JobWrite) -> Verdict:
    row = job_row(write.job)
    if write.seen_version == 0:
        done = connection.execute(INSERT_JOB, row)
    else:
        done = connection.execute(UPDATE_JOB, (*row[1:], row[0], write.seen_version))
    return STORED if done.rowcount == 1 else STALE


def drop_jobs(
    connection: sqlite3.Connection, job_ids: Sequence[str]
) -> tuple[str, ...]:
    """Forget jobs with their statistics, history and runs nobody has claimed."""
    return tuple(job_id for job_id in job_ids if _drop_job(connection, job_id))


def _drop_job(connection: sqlite3.Connection, job_id: str) -> bool:
    done = connection.execute("DELETE FROM jobs WHERE id = ?", [job_id])
    if done.rowcount == 0:
        return False
    connection.execute("DELETE FROM stats WHERE job_id = ?", [job_id])
    connection.execute("DELETE FROM histogram WHERE job_id = ?", [job_id])
    connection.execute(
        "DELETE FROM runs WHERE job_id = ? AND state <> 'claimed'", [job_id]
    )
    return True


def take_due(
    connection: sqlite3.Connection, *, now: Instant, handlers: str, limit: int
) -> DueBatch:
    """Find jobs to look at, and those that cannot be read; changes nothing.

    Args:
        connection: In a transaction.
        now: The caller's clock.
        handlers: Their names, as a JSON list.
        limit: At most so many.
    """
    due = [row[0] for row in connection.execute(DUE, [now, handlers, limit])]
    next_look = connection.execute(NEXT_LOOK, [handlers, len(due)]).fetchone()
    next_ready = connection.execute(NEXT_READY, [handlers]).fetchone()
    quarantined: dict[str, str] = {}
    facts = read_facts(connection, due, quarantined=quarantined) if due else ()
    return DueBatch(
        now=now,
        jobs=facts,
        next_look_at=None if next_look is None else next_look[0],
        next_ready_at=None if next_ready is None else next_ready[0],
        quarantined=quarantined,
    )


def put_aside(
    connection: sqlite3.Connection, *, quarantined: Mapping[str, str]
) -> None:
    """Put jobs that cannot be read into quarantine, with the reason."""
    connection.executemany(
        "UPDATE jobs SET look_at = NULL, quarantine = ? WHERE id = ?",
        [(reason, job_id) for job_id, reason in quarantined.items()],
    )


def read_facts(
    connection: sqlite3.Connection,
    job_ids: Sequence[str],
    *,
    quarantined: dict[str, str] | None = None,
) -> tuple[DueJob, ...]:
    """Read what a plan for these jobs needs; what cannot be read is left out.

    Args:
        connection: In a transaction.
        job_ids: Which jobs.
        quarantined: Takes the ids of those that cannot be read, with the reason.
    """
    wanted = json.dumps(job_ids)
    jobs: dict[str, Job] = {}
    for row in connection.execute(
        f"SELECT {JOB}, id FROM jobs "  # noqa: S608  only our own column names
        "WHERE id IN (SELECT value FROM json_each(?)) AND quarantine IS NULL",
        [wanted],
    ):
        try:
            jobs[row[-1]] = job_from(row)
        except StoreError as error:
            if quarantined is not None:
                quarantined[row[-1]] = str(error)
    live: dict[str, list[LiveRun]] = {}
    for row in connection.execute(LIVE, [wanted]):
        live.setdefault(row[-1], []).append(live_from(row))
    ended = _last_finished(connection, jobs.values())
    return tuple(
        DueJob(
            job=jobs[job_id],
            live=_in_order(live.get(job_id, ())),
            last_finished_at=ended.get(job_id),
        )
        for job_id in dict.fromkeys(job_ids)
        if job_id in jobs
    )


def _in_order(live: Iterable[LiveRun]) -> tuple[LiveRun, ...]:
    return tuple(sorted(live, key=lambda run: (run.scheduled_time, run.id)))


def _last_finished(
    connection: sqlite3.Connection, jobs: Iterable[Job]
) -> dict[str, Instant]:
    rows = connection.execute(
        "SELECT job_id, last_finished_at FROM stats "
        "WHERE job_id IN (SELECT value FROM json_each(?)) "
        "AND last_finished_at IS NOT NULL",
        [json.dumps([job.id for job in jobs])],
    )
    return dict(rows.fetchall())


class Fences:
    """Fencing tokens of one transaction: read once, written once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (self._value,) = connection.execute(
            "SELECT value FROM counters WHERE name = 'fence'"
        ).fetchone()
        self._is_used = False

    def next(self) -> int:
        """Give out a token higher than every one before it."""
        self._value += 1
        self._is_used = True
        return int(self._value)

    def save(self) -> None:
        """Write the highest."""
        if self._is_used:
            self._connection.execute(
                "UPDATE counters SET value = ? WHERE name = 'fence'", [self._value]
            )


def commit_plans(
    connection: sqlite3.Connection, plans: Sequence[Plan], *, now: Instant
) -> tuple[Committed | Stale, ...]:
    """Apply each plan whose job still has the version it was decided on."""
    fences = Fences(connection)
    tallies: list[Tally] = []
    verdicts = tuple(
        _commit(connection, plan, now=now, fences=fences, tallies=tallies)
        for plan in plans
    )
    fences.save()
    add_tallies(connection, tallies)
    return verdicts


def _commit(
    connection: sqlite3.Connection,
    plan: Plan,
    *,
    now: Instant,
    fences: Fences,
    tallies: list[Tally],
) -> Committed | Stale:
    job, seen = plan.write.job, plan.write.seen_version
    if plan.is_drop:
        return _commit_drop(connection, plan)
    done = connection.execute(ADVANCE_JOB, (*standing_of(job), job.id, seen))
    if done.rowcount == 0:
        return STALE
    given = tuple(_insert_run(connection, run, fences=fences) for run in plan.runs)
    if plan.promote:
        connection.executemany(
            "UPDATE runs SET state = 'ready' WHERE id = ? AND state = 'waiting'",
            [(run_id,) for run_id in plan.promote],
        )
    tallies += plan.tallies
    has_ended = False
    for run_id, reason in plan.cancel.items():
        if _cancel(connection, run_id, reason=reason, now=now):
            has_ended = True
            tallies.append(
                Tally(job_id=job.id, outcome=Outcome.CANCELLED, finished_at=now)
            )
    if job.looks_on_finish and (has_ended or not _is_active(connection, job.id)):
        connection.execute(
            "UPDATE jobs SET look_at = min(coalesce(look_at, :now), :now) WHERE id = :id",
            {"now": now, "id": job.id},
        )
    return Committed(fences=given)


def _commit_drop(connection: sqlite3.Connection, plan: Plan) -> Committed | Stale:
    found = connection.execute(
        "SELECT 1 FROM jobs WHERE id = ? AND version = ?",
        [plan.write.job.id, plan.write.seen_version],
    ).fetchone()
    if found is None:
        return STALE
    _drop_job(connection, plan.write.job.id)
    return Committed(fences=(0,) * len(plan.runs))


def _insert_run(connection: sqlite3.Connection, run: Run, *, fences: Fences) -> int:
    fence = fences.next() if run.state is RunState.CLAIMED else 0
    done = connection.execute(INSERT_RUN, run_row(run, fence=fence))
    return fence if done.rowcount == 1 else 0


def _cancel(
    connection: sqlite3.Connection, run_id: str, *, reason: str, now: Instant
) -> bool:
    """End a run that is not claimed, mark one that is; say whether it ended."""
    done = connection.execute(
        """
        UPDATE runs SET state = 'finished', outcome = 'cancelled', reason = :reason,
            cancel_reason = :reason, finished_at = :now
        WHERE id = :id AND state IN ('waiting', 'ready')
        """,
        {"reason": reason, "now": now, "id": run_id},
    )
    if done.rowcount == 1:
        return True
    mark_cancelled(connection, [run_id], reason=reason)
    return False


def mark_cancelled(
    connection: sqlite3.Connection, run_ids: Sequence[str], *, reason: str
) -> None:
    """Ask for CLAIMED runs to be cancelled; the first reason given stays."""
    connection.executemany(
        "UPDATE runs SET cancel_reason = ? "
        "WHERE id = ? AND state = 'claimed' AND cancel_reason IS NULL",
        [(reason, run_id) for run_id in run_ids],
    )


def _is_active(connection: sqlite3.Connection, job_id: str) -> bool:
    found: Any = connection.execute(
        "SELECT 1 FROM runs WHERE state IN ('ready', 'claimed') AND job_id = ? LIMIT 1",
        [job_id],
    ).fetchone()
    return found is not None


def look_on_finish(
    connection: sqlite3.Connection, job_ids: Iterable[str], *, now: Instant
) -> None:
    """Make the store look at jobs that wait for a run of theirs to end."""
    wanted = json.dumps(list(dict.fromkeys(job_ids)))
    waiting = connection.execute(WAITING_FOR_FINISH, [wanted]).fetchall()
    connection.executemany(
        LOOK_ON_FINISH, [{"now": now, "id": job_id} for (job_id,) in waiting]
    )
