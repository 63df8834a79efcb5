"""Runs: settle, cancel, prune. Steps of a transaction."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import CANCELLED, STALE, STORED
from nvent_sched._model.runs import Run, RunState
from nvent_sched.adapters.sqlite.jobs import KnownJobs
from nvent_sched.adapters.sqlite.many import update_of, write_many
from nvent_sched.adapters.sqlite.plans import mark_cancelled
from nvent_sched.adapters.sqlite.rows import (
    BARE_END,
    RUN,
    SAID,
    bare_end_row,
    readable_runs,
    run_row,
)
from nvent_sched.adapters.sqlite.tallies import add_tallies

Row = tuple[Any, ...]

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from nvent_sched._model.claims import (
        Settled,
        Settlement,
    )
    from nvent_sched._model.instants import Instant

_NAMES: Final = tuple(name.strip() for name in RUN.split(","))
_SETTLED: Final = tuple(
    _NAMES.index(name)
    for name in _NAMES
    if name not in {"id", "job_id", "handler", "payload", "scheduled_time", "due_time"}
)
_settled_of: Final = itemgetter(*_SETTLED)
_SETTLED_SET: Final = ", ".join(f"{_NAMES[place]} = ?" for place in _SETTLED)

STANDS: Final = f"""
SELECT runs.id, seq, state, fence, lease_until, cancel_reason, coalesce({SAID}) IS NULL
FROM json_each(?) AS wanted CROSS JOIN runs ON runs.id = wanted.value
"""  # noqa: S608  only our own column names
# Whose run it is, and of which occurrence, never changes.
SETTLE: Final = f"""
UPDATE runs SET {_SETTLED_SET}, request = NULL WHERE seq = ?
"""  # noqa: S608  only our own column names
END: Final = update_of(
    "runs",
    BARE_END.split(", "),
    more="state = 'finished', lease_until = NULL, request = NULL",
)
FORGET: Final = "DELETE FROM runs WHERE id = ?"


def settle(
    connection: sqlite3.Connection, settlements: Sequence[Settlement], *, now: Instant
) -> tuple[Settled, ...]:
    """Write what became of each run whose state and fence are those seen."""
    wanted = json.dumps([settlement.run.id for settlement in settlements])
    stands: dict[str, Row] = {
        row[0]: row[1:] for row in connection.execute(STANDS, [wanted])
    }
    verdicts: list[Settled] = []
    applied: list[Settlement] = []
    waiting = _Waiting(connection)
    for settlement in settlements:
        run = settlement.run
        is_seen = _is_as_seen(settlement, stands.get(run.id))
        # Said twice, what leaves the state as it is would be as seen both times.
        if not is_seen or run.state is settlement.seen_state:
            waiting.write()
            if _is_applied(connection, run):
                verdicts.append(STORED)
                continue
        if not is_seen:
            verdicts.append(STALE)
            continue
        if _is_cancelled(run, stands[run.id]):
            verdicts.append(CANCELLED)
            continue
        stands[run.id] = waiting.add(run, stands[run.id])
        applied.append(settlement)
        verdicts.append(STORED)
    waiting.write()
    if applied:
        _after(connection, applied, now=now)
    return tuple(verdicts)


def _is_as_seen(settlement: Settlement, stands: Row | None) -> bool:
    if stands is None:
        return False
    _, state, fence, lease_until, *_ = stands
    lease = settlement.seen_lease_until
    return (
        state == settlement.seen_state
        and fence == settlement.seen_fence
        and lease in {None, lease_until}
    )


def _is_cancelled(run: Run, stands: Row) -> bool:
    *_, cancel_reason, _ = stands
    return run.state is not RunState.FINISHED and run.cancel_reason != cancel_reason


class _Waiting:
    """Settled runs that are still to be written, each kind in one go."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ends: list[Sequence[Any]] = []
        self._full: list[Sequence[Any]] = []

    def add(self, run: Run, stands: Row) -> Row:
        """Add a run that is stored as *stands*; say how it will be then."""
        number, *_, is_bare = stands
        end = bare_end_row(run) if is_bare else None
        if end is not None:
            self._ends.append((*end, number))
        else:
            row = run_row(run, fence=run.fence)
            self._full.append((*_settled_of(row), number))
        # Ends are written first: what comes after one is written in full.
        reason = run.cancel_reason
        return number, str(run.state), run.fence, run.lease_until, reason, False

    def write(self) -> None:
        """Write what waits."""
        before, after = END
        write_many(self._connection, before, self._ends, after=after)
        self._connection.executemany(SETTLE, self._full)
        self._ends, self._full = [], []


def _after(
    connection: sqlite3.Connection, applied: Sequence[Settlement], *, now: Instant
) -> None:
    """Count what was settled, and look at the jobs that wait for it."""
    tallies = [each.tally for each in applied if each.tally is not None]
    ended = [each.run.job_id for each in applied if each.run.state is RunState.FINISHED]
    known = KnownJobs(connection, (*(tally.job_id for tally in tallies), *ended))
    add_tallies(connection, tallies, jobs=known.numbers)
    known.look_on_finish(ended, now=now)


def _is_applied(connection: sqlite3.Connection, run: Run) -> bool:
    """Whether the very same verdict was written before and its answer was lost."""
    found: Any = connection.execute(
        f"SELECT {RUN} FROM runs WHERE id = ?",  # noqa: S608  only our own columns
        [run.id],
    ).fetchone()
    return found is not None and list(found) == run_row(run, fence=run.fence)


def cancel_runs(
    connection: sqlite3.Connection, run_ids: Sequence[str], *, reason: str
) -> tuple[Run, ...]:
    """Ask for CLAIMED runs to be cancelled; answer with the runs as they were."""
    rows = connection.execute(
        f"SELECT {RUN} FROM runs "  # noqa: S608  only our own column names
        "WHERE id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(run_ids))],
    ).fetchall()
    found = {run.id: run for run in readable_runs(rows)}
    mark_cancelled(connection, run_ids, reason=reason)
    return tuple(found[run_id] for run_id in run_ids if run_id in found)


def prune(
    connection: sqlite3.Connection,
    *,
    job_ids: Sequence[str],
    runs_max: int,
    limit: int,
    now: Instant,
) -> int:
    """Forget FINISHED runs by age, then the oldest of what each job has left."""
    aged = connection.execute(
        "SELECT id FROM runs WHERE keep_until IS NOT NULL AND keep_until <= ? "
        "ORDER BY keep_until, id LIMIT ?",
        [now, limit],
    ).fetchall()
    connection.executemany(FORGET, aged)
    forgotten = len(aged)
    for job_id in job_ids:
        if forgotten >= limit:
            break
        extra = connection.execute(
            "SELECT id FROM runs WHERE job_id = ? AND state = 'finished' "
            "ORDER BY scheduled_time DESC, id DESC LIMIT -1 OFFSET ?",
            [job_id, runs_max],
        ).fetchall()
        oldest = extra[::-1][: limit - forgotten]
        connection.executemany(FORGET, oldest)
        forgotten += len(oldest)
    return forgotten
