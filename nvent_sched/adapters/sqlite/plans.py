"""Plans: move jobs on and give them their runs. Steps of a transaction.

Two rules keep a job from being forgotten. A run that ends while its job `looks_on_finish`
makes the job be looked at, and grows its version: a plan decided before the end must not
overwrite the look. And a plan that leaves a job waiting for an end none of its runs can
bring any more is written with a look at once.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import STALE, Committed, Stale
from nvent_sched._model.runs import Outcome, RunState
from nvent_sched._model.statistics import Tally
from nvent_sched.adapters.sqlite.jobs import KnownJobs, drop_job
from nvent_sched.adapters.sqlite.many import update_of, write_many
from nvent_sched.adapters.sqlite.rows import (
    BARE_RUN,
    RUN,
    STANDING,
    bare_run_row,
    clean,
    run_row,
    standing_of,
)
from nvent_sched.adapters.sqlite.tallies import add_tallies

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from nvent_sched._model.claims import Plan
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.runs import Run

_MOVED: Final = tuple(
    name.strip() for name in STANDING.split(",") if name.strip() != "status"
)
_RUN_MARKS: Final = ", ".join("?" * len(RUN.split(",")))

SEEN: Final = """
SELECT jobs.id, seq, version, status FROM json_each(?) AS wanted
CROSS JOIN jobs ON jobs.id = wanted.value
"""
# An index holds the status, and it hardly ever changes.
MOVE_JOBS: Final = update_of("jobs", _MOVED)
CHANGE_STATUS: Final = update_of("jobs", ["status"])
INSERT_RUN: Final = f"""
INSERT INTO runs ({RUN}) VALUES ({_RUN_MARKS}) ON CONFLICT (id) DO NOTHING
"""  # noqa: S608  only our own column names
INSERT_BARE_RUNS: Final = f"INSERT INTO runs ({BARE_RUN})"


def take_fences(connection: sqlite3.Connection, count: int) -> range:
    """Give out fencing tokens, higher than every one before them."""
    (last,) = connection.execute(
        "UPDATE counters SET value = value + ? WHERE name = 'fence' RETURNING value",
        [count],
    ).fetchall()[0]
    return range(last - count + 1, last + 1)


def commit_plans(
    connection: sqlite3.Connection,
    plans: Sequence[Plan],
    *,
    now: Instant,
    is_whole: bool = False,
) -> tuple[Committed | Stale, ...]:
    """Apply each plan whose job still has the version it was decided on."""
    verdicts: list[Committed | Stale] = []
    batches = list(_of_different_jobs(plans))
    for batch in batches:
        commit = _Commit(connection, batch, now=now)
        if is_whole and (len(batches) > 1 or not commit.is_current()):
            return (STALE,) * len(plans)
        verdicts += commit.verdicts()
    return tuple(verdicts)


def _of_different_jobs(plans: Sequence[Plan]) -> Iterator[list[Plan]]:
    """Part plans so that no two of a batch are for one job: the second sees the first."""
    left = iter(plans)
    plan = next(left, None)
    while plan is not None:
        batch, seen = [plan], {plan.write.job.id}
        for plan in left:
            if plan.write.job.id in seen:
                break
            batch.append(plan)
            seen.add(plan.write.job.id)
        else:
            plan = None
        yield batch


class _Commit:
    """Commits plans for different jobs."""

    def __init__(
        self, connection: sqlite3.Connection, plans: Sequence[Plan], *, now: Instant
    ) -> None:
        self._connection, self._plans, self._now = connection, plans, now
        wanted = json.dumps([plan.write.job.id for plan in plans])
        rows = connection.execute(SEEN, [wanted]).fetchall()
        self._seen: dict[str, tuple[int, int, str]] = {row[0]: row[1:] for row in rows}
        self._counted: frozenset[str | None] = frozenset()

    def is_current(self) -> bool:
        """Whether every one was decided on the version that its job has."""
        return all(map(self._is_current, self._plans))

    def verdicts(self) -> Iterator[Committed | Stale]:
        """Apply them; iterate over the verdicts once all is done."""
        current = [plan for plan in self._plans if self._is_current(plan)]
        moving = [plan for plan in current if not plan.is_drop]
        for plan in current:
            if plan.is_drop:
                drop_job(self._connection, plan.write.job.id)
        self._counted = self._recorded(moving)
        fences = iter(self._insert([run for plan in moving for run in plan.runs]))
        self._move(moving)
        self._promote(moving)
        self._end(moving)
        applied = {id(plan) for plan in current}
        for plan in self._plans:
            if id(plan) not in applied:
                yield STALE
            elif plan.is_drop:
                yield Committed(fences=(0,) * len(plan.runs))
            else:
                yield Committed(fences=tuple(islice(fences, len(plan.runs))))

    def _is_current(self, plan: Plan) -> bool:
        seen = self._seen.get(plan.write.job.id)
        return seen is not None and seen[1] == plan.write.seen_version

    def _recorded(self, plans: Sequence[Plan]) -> frozenset[str | None]:
        """Name the records among those that plans would add which are there already."""
        ids = [each.record_id for plan in plans for each in plan.tallies]
        wanted = json.dumps([record_id for record_id in ids if record_id is not None])
        if wanted == "[]":
            return frozenset()
        rows = self._connection.execute(
            "SELECT id FROM runs WHERE id IN (SELECT value FROM json_each(?))", [wanted]
        )
        return frozenset(run_id for (run_id,) in rows.fetchall())

    def _insert(self, runs: Sequence[Run]) -> list[int]:
        """Insert runs; say which fence each was given, 0 for none."""
        claims = sum(run.state is RunState.CLAIMED for run in runs)
        tokens = iter(take_fences(self._connection, claims) if claims else ())
        fences = [next(tokens) if run.state is RunState.CLAIMED else 0 for run in runs]
        before = self._connection.total_changes
        bare: list[Sequence[Any]] = []
        full: list[Sequence[Any]] = []
        are_different = len({run.id for run in runs}) == len(runs)
        for run, fence in zip(runs, fences, strict=True):
            # Of two with one id the first is inserted, so they are not parted.
            row = bare_run_row(run, fence=fence) if are_different else None
            if row is not None:
                bare.append(row)
            else:
                full.append(run_row(run, fence=fence))
        write_many(
            self._connection,
            INSERT_BARE_RUNS,
            bare,
            after="ON CONFLICT (id) DO NOTHING",
        )
        self._connection.executemany(INSERT_RUN, full)
        if self._connection.total_changes - before == len(runs):
            return fences
        wanted = json.dumps([run.id for run in runs])
        stored: dict[str, int] = dict(
            self._connection.execute(
                "SELECT id, fence FROM runs "
                "WHERE id IN (SELECT value FROM json_each(?))",
                [wanted],
            ).fetchall()
        )
        return [
            fence if stored[run.id] == fence else 0
            for run, fence in zip(runs, fences, strict=True)
        ]

    def _move(self, plans: Sequence[Plan]) -> None:
        moved: list[Sequence[Any]] = []
        changed: list[Sequence[Any]] = []
        for plan in plans:
            job = plan.write.job
            number, _, status = self._seen[job.id]
            version, new_status, *rest = standing_of(job)
            moved.append((version, *rest, number))
            if new_status != status:
                changed.append((new_status, number))
        for (before, after), rows in ((MOVE_JOBS, moved), (CHANGE_STATUS, changed)):
            write_many(self._connection, before, rows, after=after)

    def _promote(self, plans: Sequence[Plan]) -> None:
        self._connection.executemany(
            "UPDATE runs SET state = 'ready' WHERE id = ? AND state = 'waiting'",
            [(run_id,) for plan in plans for run_id in plan.promote],
        )

    def _end(self, plans: Sequence[Plan]) -> None:
        """Count what was skipped, end what shall not run, look where nothing would."""
        tallies: list[Tally] = []
        for plan in plans:
            job = plan.write.job
            tallies += [
                each for each in plan.tallies if each.record_id not in self._counted
            ]
            ended = [
                Tally(job_id=job.id, outcome=Outcome.CANCELLED, finished_at=self._now)
                for run_id, reason in plan.cancel.items()
                if self._is_ended(
                    run_id, reason=reason, keep_until=plan.cancelled_until
                )
            ]
            tallies += ended
            if job.looks_on_finish and (ended or not self._is_active(job.id)):
                self._connection.execute(
                    "UPDATE jobs SET look_at = min(coalesce(look_at, :now), :now) "
                    "WHERE id = :id",
                    {"now": self._now, "id": job.id},
                )
        if tallies:
            known = KnownJobs(self._connection, (tally.job_id for tally in tallies))
            add_tallies(self._connection, tallies, jobs=known.numbers)

    def _is_ended(
        self, run_id: str, *, reason: str, keep_until: Instant | None
    ) -> bool:
        """End a run that is not claimed, mark one that is; say whether it ended."""
        done = self._connection.execute(
            """
            UPDATE runs SET state = 'finished', outcome = 'cancelled', reason = :reason,
                cancel_reason = :reason, finished_at = :now, keep_until = :keep_until
            WHERE id = :id AND state IN ('waiting', 'ready')
            """,
            {
                "reason": clean(reason),
                "now": self._now,
                "keep_until": keep_until,
                "id": run_id,
            },
        )
        if done.rowcount == 1:
            return True
        mark_cancelled(self._connection, [run_id], reason=reason)
        return False

    def _is_active(self, job_id: str) -> bool:
        found: Any = self._connection.execute(
            "SELECT 1 FROM runs WHERE state <> 'finished' "
            "AND state IN ('ready', 'claimed') AND job_id = ? LIMIT 1",
            [job_id],
        ).fetchone()
        return found is not None


def mark_cancelled(
    connection: sqlite3.Connection, run_ids: Sequence[str], *, reason: str
) -> None:
    """Ask for CLAIMED runs to be cancelled; the first reason given stays."""
    connection.executemany(
        "UPDATE runs SET cancel_reason = ? "
        "WHERE id = ? AND state = 'claimed' AND cancel_reason IS NULL",
        [(clean(reason), run_id) for run_id in run_ids],
    )
