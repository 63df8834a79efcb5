"""Runs: claim, renew, settle, find the lost, prune. Steps of a transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import STALE, STORED, Claims, Lost, Renewed
from nvent_sched._model.runs import Run, RunState
from nvent_sched.adapters.sqlite.jobs import (
    NEXT_READY,
    Fences,
    look_on_finish,
    mark_cancelled,
)
from nvent_sched.adapters.sqlite.rows import (
    INSTANCE,
    RUN,
    instance_row,
    run_from,
    run_row,
)
from nvent_sched.adapters.sqlite.tallies import add_tallies

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from nvent_sched._model.claims import (
        Pool,
        Renewal,
        Settlement,
        Verdict,
    )
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.statistics import Tally

_RUN_SET: Final = ", ".join(f"{name.strip()} = ?" for name in RUN.split(",")[1:])
_INSTANCE_MARKS: Final = ", ".join("?" * (len(INSTANCE.split(",")) + 1))

READY: Final = """
SELECT id FROM runs
WHERE state = 'ready' AND ready_at <= ?
    AND handler IN (SELECT value FROM json_each(?))
ORDER BY ready_at, id LIMIT ?
"""
CLAIM: Final = """
UPDATE runs SET state = 'claimed', fence = ?, instance = ?, lease_until = ?, request = ?
WHERE id = ?
"""
SETTLE: Final = f"""
UPDATE runs SET {_RUN_SET}, request = NULL WHERE id = ? AND state = ? AND fence = ?
    AND (? IS NULL OR lease_until = ?)
"""  # noqa: S608  only our own column names
RENEW: Final = """
UPDATE runs SET
    lease_until = CASE WHEN ? THEN ? ELSE lease_until END,
    progress = coalesce(?, progress),
    progress_note = coalesce(?, progress_note),
    started_at = coalesce(?, started_at)
WHERE id = ? AND state = 'claimed' AND fence = ?
"""
CLAIMED: Final = f"""
SELECT {RUN} FROM runs WHERE state = 'claimed' ORDER BY lease_until, id
"""  # noqa: S608  only our own column names


def begin(  # noqa: PLR0913  one atomic step
    connection: sqlite3.Connection,
    *,
    request_id: str,
    instance: str,
    pools: Sequence[Pool],
    until: Instant,
    lease_us: int,
    now: Instant,
) -> Claims:
    """Claim READY runs, oldest first, up to each pool's limit."""
    claimed = _of_request(connection, request_id)
    if not claimed:
        fences = Fences(connection)
        for pool in pools:
            wanted = [until, json.dumps(pool.handlers), pool.limit]
            ids = [row[0] for row in connection.execute(READY, wanted)]
            connection.executemany(
                CLAIM,
                [
                    (fences.next(), instance, now + lease_us, request_id, run_id)
                    for run_id in ids
                ],
            )
        fences.save()
        claimed = _of_request(connection, request_id)
    handlers = json.dumps([name for pool in pools for name in pool.handlers])
    left = connection.execute(NEXT_READY, [handlers]).fetchone()
    return Claims(
        now=now, runs=claimed, next_ready_at=None if left is None else left[0]
    )


def _of_request(connection: sqlite3.Connection, request_id: str) -> tuple[Run, ...]:
    rows = connection.execute(
        f"SELECT {RUN} FROM runs WHERE request = ? "  # noqa: S608  our own columns
        "AND state = 'claimed' ORDER BY ready_at, id",
        [request_id],
    )
    return tuple(map(run_from, rows.fetchall()))


def renew(
    connection: sqlite3.Connection,
    instance: Instance,
    renewals: Sequence[Renewal],
    *,
    lease_us: int,
    now: Instant,
    machine: str | None,
) -> Renewed:
    """Say that the instance lives, extend its leases, store progress."""
    connection.execute(
        f"INSERT OR REPLACE INTO instances ({INSTANCE}, machine) "  # noqa: S608  ours
        f"VALUES ({_INSTANCE_MARKS})",
        (*instance_row(instance, now=now), machine),
    )
    stale = frozenset(
        renewal.run_id
        for renewal in renewals
        if not _renew(connection, renewal, lease_until=now + lease_us)
    )
    cancelled = connection.execute(
        "SELECT id, cancel_reason FROM runs WHERE state = 'claimed' "
        "AND instance = ? AND cancel_reason IS NOT NULL",
        [instance.id],
    )
    return Renewed(now=now, stale=stale, cancelled=dict(cancelled.fetchall()))


def _renew(
    connection: sqlite3.Connection, renewal: Renewal, *, lease_until: int
) -> bool:
    done = connection.execute(
        RENEW,
        (
            renewal.extend,
            lease_until,
            renewal.progress,
            renewal.progress_note,
            renewal.started_at,
            renewal.run_id,
            renewal.fence,
        ),
    )
    return done.rowcount == 1


def settle(
    connection: sqlite3.Connection, settlements: Sequence[Settlement], *, now: Instant
) -> tuple[Verdict, ...]:
    """Write what became of each run whose state and fence are those seen."""
    tallies: list[Tally] = []
    ended: list[str] = []
    verdicts: list[Verdict] = []
    for settlement in settlements:
        run = settlement.run
        if _settle(connection, settlement):
            verdicts.append(STORED)
            if settlement.tally is not None:
                tallies.append(settlement.tally)
            if run.state is RunState.FINISHED:
                ended.append(run.job_id)
        else:
            verdicts.append(STORED if _is_applied(connection, run) else STALE)
    add_tallies(connection, tallies)
    look_on_finish(connection, ended, now=now)
    return tuple(verdicts)


def _settle(connection: sqlite3.Connection, settlement: Settlement) -> bool:
    run, lease = settlement.run, settlement.seen_lease_until
    row = run_row(run, fence=run.fence)
    guard = (run.id, settlement.seen_state.value, settlement.seen_fence, lease, lease)
    return connection.execute(SETTLE, (*row[1:], *guard)).rowcount == 1


def _is_applied(connection: sqlite3.Connection, run: Run) -> bool:
    """Whether the very same verdict was written before and its answer was lost."""
    found: Any = connection.execute(
        f"SELECT {RUN} FROM runs WHERE id = ?",  # noqa: S608  only our own columns
        [run.id],
    ).fetchone()
    return found is not None and run_from(found) == run


def take_lost(
    connection: sqlite3.Connection,
    *,
    now: Instant,
    dead_after_us: int,
    limit: int,
    is_lock_free: Callable[[str, str | None], bool],
) -> Lost:
    """Find runs nobody holds any more; take the dead without runs left off the list.

    Args:
        connection: In a write transaction.
        now: The caller's clock.
        dead_after_us: The age of a heartbeat that means death.
        limit: At most so many runs.
        is_lock_free: Whether the lock of an instance, which it took on a machine, is
            not held any more.
    """
    listed = connection.execute(
        "SELECT id, heartbeat_at, machine FROM instances"
    ).fetchall()
    alive = {
        instance_id
        for instance_id, heartbeat_at, machine in listed
        if now - heartbeat_at <= dead_after_us
        and not is_lock_free(instance_id, machine)
    }
    claimed = map(run_from, connection.execute(CLAIMED).fetchall())
    lost = [
        run
        for run in claimed
        if (run.lease_until or 0) <= now or run.instance not in alive
    ]
    left = {run.instance for run in lost[limit:]}
    dead = tuple(sorted({row[0] for row in listed} - alive - left))
    connection.executemany(
        "DELETE FROM instances WHERE id = ?", [(each,) for each in dead]
    )
    return Lost(now=now, runs=tuple(lost[:limit]), dead=dead)


def cancel_runs(
    connection: sqlite3.Connection, run_ids: Sequence[str], *, reason: str
) -> tuple[Run, ...]:
    """Ask for CLAIMED runs to be cancelled; answer with the runs as they were."""
    found = {
        row[0]: run_from(row)
        for row in connection.execute(
            f"SELECT {RUN} FROM runs "  # noqa: S608  only our own column names
            "WHERE id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(run_ids))],
        ).fetchall()
    }
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
    """Forget FINISHED runs by age, then the oldest of each job."""
    found = [
        row[0]
        for row in connection.execute(
            "SELECT id FROM runs WHERE keep_until IS NOT NULL AND keep_until <= ? "
            "ORDER BY keep_until, id LIMIT ?",
            [now, limit],
        )
    ]
    for job_id in job_ids:
        if len(found) >= limit:
            break
        rows = connection.execute(
            "SELECT id FROM runs WHERE job_id = ? AND state = 'finished' "
            "ORDER BY scheduled_time DESC, id DESC LIMIT -1 OFFSET ?",
            [job_id, runs_max],
        )
        found += reversed([row[0] for row in rows])
    forgotten = list(dict.fromkeys(found))[:limit]
    connection.executemany(
        "DELETE FROM runs WHERE id = ?", [(each,) for each in forgotten]
    )
    return len(forgotten)
