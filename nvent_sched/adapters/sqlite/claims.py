"""Claims: give runs to an instance, keep them alive, find the lost. Steps of a transaction."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Final

from nvent_sched._model.claims import Claims, Lost, Renewed
from nvent_sched._model.instants import Instant
from nvent_sched.adapters.sqlite.due import READY_HEADS, heads, merged
from nvent_sched.adapters.sqlite.plans import take_fences
from nvent_sched.adapters.sqlite.rows import (
    INSTANCE,
    RUN,
    clean,
    instance_row,
    readable_runs,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from nvent_sched._model.claims import Pool, Renewal
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.runs import Run

_INSTANCE_MARKS: Final = ", ".join("?" * (len(INSTANCE.split(",")) + 1))

READY: Final = """
SELECT ready_at, id, seq FROM runs
WHERE state = 'ready' AND handler = ? AND ready_at <= ? ORDER BY ready_at, id LIMIT ?
"""
CLAIM: Final = """
UPDATE runs SET state = 'claimed', fence = ?, instance = ?, lease_until = ?, request = ?
WHERE seq = ?
"""
RENEW: Final = """
UPDATE runs SET
    lease_until = CASE WHEN ? THEN ? ELSE lease_until END,
    progress = coalesce(?, progress),
    progress_note = coalesce(?, progress_note),
    started_at = coalesce(?, started_at)
WHERE id = ? AND state = 'claimed' AND fence = ?
"""
CLAIMED: Final = """
SELECT seq, lease_until, instance FROM runs WHERE state = 'claimed'
ORDER BY lease_until, id
"""
LOST: Final = f"""
SELECT {RUN} FROM runs WHERE seq IN (SELECT value FROM json_each(?))
ORDER BY lease_until, id
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
        for pool in pools:
            taken = _ready(connection, pool, until=until)
            fences = take_fences(connection, len(taken))
            connection.executemany(
                CLAIM,
                [
                    (fence, instance, now + lease_us, request_id, number)
                    for fence, number in zip(fences, taken, strict=True)
                ],
            )
        claimed = _of_request(connection, request_id)
    left = heads(connection, READY_HEADS, (n for pool in pools for n in pool.handlers))
    return Claims(now=now, runs=claimed, next_ready_at=min(left.values(), default=None))


def _ready(connection: sqlite3.Connection, pool: Pool, *, until: Instant) -> list[int]:
    """Say the numbers of the runs that a pool may have, the oldest first."""
    firsts = heads(connection, READY_HEADS, pool.handlers)
    names = [name for name, ready_at in firsts.items() if ready_at <= until]
    if not names:
        return []
    ready = merged(connection, READY, names, until=until, limit=pool.limit)
    return [number for _, _, number in islice(ready, pool.limit)]


def _of_request(connection: sqlite3.Connection, request_id: str) -> tuple[Run, ...]:
    rows = connection.execute(
        f"SELECT {RUN} FROM runs WHERE request = ? "  # noqa: S608  our own columns
        "AND state = 'claimed' ORDER BY ready_at, id",
        [request_id],
    )
    return tuple(readable_runs(rows.fetchall()))


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
            clean(renewal.progress_note),
            renewal.started_at,
            renewal.run_id,
            renewal.fence,
        ),
    )
    return done.rowcount == 1


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
        instance_id: Instant(heartbeat_at)
        for instance_id, heartbeat_at, machine in listed
        if now - heartbeat_at <= dead_after_us
        and not is_lock_free(instance_id, machine)
    }
    lost = [
        (number, instance)
        for number, lease_until, instance in connection.execute(CLAIMED)
        if lease_until <= now or instance not in alive
    ]
    runs, taken = _readable(connection, [number for number, _ in lost], limit=limit)
    left = {instance for _, instance in lost[taken:]}
    dead = tuple(sorted({row[0] for row in listed} - alive.keys() - left))
    connection.executemany(
        "DELETE FROM instances WHERE id = ?", [(each,) for each in dead]
    )
    oldest_beat_at = min(alive.values(), default=None)
    return Lost(now=now, runs=runs, dead=dead, oldest_beat_at=oldest_beat_at)


def _readable(
    connection: sqlite3.Connection, numbers: Sequence[int], *, limit: int
) -> tuple[tuple[Run, ...], int]:
    """Read runs until there are enough; say also how many were looked at for it.

    However many cannot be read, they do not stand in the way of those behind them.
    """
    runs: list[Run] = []
    taken = 0
    while taken < len(numbers) and len(runs) < limit:
        part = numbers[taken : taken + limit - len(runs)]
        rows = connection.execute(LOST, [json.dumps(part)]).fetchall()
        runs += readable_runs(rows)
        taken += len(part)
    return tuple(runs), taken
