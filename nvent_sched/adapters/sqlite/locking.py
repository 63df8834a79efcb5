"""Locks: give them out, keep them alive, take them back. Steps of a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._model.claims import STALE, STORED
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.locks import (
    ON_ITS_WAY_US_MAX,
    LockAnswer,
    LockAnswers,
    LockBusy,
    LockGranted,
    LockRecord,
)
from nvent_sched.adapters.sqlite.plans import take_fences

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from nvent_sched._model.claims import Verdict
    from nvent_sched._model.locks import LockAsk

ENDED_KEPT_US: Final = 7 * 24 * 3600 * SECOND_US
"""How long a hold that ended can still be renewed if nobody else wanted the lock."""

# A clock that was set back lengthens no hold and no place.
SHORTEN: Final = """
UPDATE locks SET until = :now + ttl
WHERE name = :name AND until > :now + ttl + :on_its_way
"""
SHORTEN_PLACES: Final = """
UPDATE lock_queue SET until = :ends WHERE name = :name AND until > :ends
"""
JOIN: Final = """
INSERT INTO lock_queue (name, ticket, until) VALUES (?, ?, ?)
ON CONFLICT (name, ticket) DO UPDATE SET until = excluded.until
"""
HOLD: Final = """
SELECT ticket, holder, fence, since, until FROM locks WHERE name = ? AND until > ?
"""
GRANT: Final = """
INSERT OR REPLACE INTO locks (name, fence, ticket, holder, since, until, ttl)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
RENEW: Final = "UPDATE locks SET until = ?, ttl = ? WHERE name = ? AND ticket = ?"
FORGET_PLACES: Final = "DELETE FROM lock_queue WHERE until <= ?"
FORGET_HOLDS: Final = "DELETE FROM locks WHERE until <= ?"
READ: Final = """
SELECT name, holder, fence, since, until,
    (SELECT count(*) FROM lock_queue WHERE lock_queue.name = locks.name)
FROM locks WHERE until > ? ORDER BY until, name LIMIT ?
"""


def acquire(
    connection: sqlite3.Connection, *, asks: Sequence[LockAsk], now: Instant
) -> LockAnswers:
    """Give each lock that is free to whoever asks first, and queue the others."""
    connection.execute(FORGET_PLACES, [now])
    connection.execute(FORGET_HOLDS, [now - ENDED_KEPT_US])
    answers = tuple(_acquire(connection, ask, now=now) for ask in asks)
    return LockAnswers(now=now, answers=answers)


def _acquire(
    connection: sqlite3.Connection, ask: LockAsk, *, now: Instant
) -> LockAnswer:
    shorten = {"now": now, "name": ask.name, "on_its_way": ON_ITS_WAY_US_MAX}
    connection.execute(SHORTEN, shorten)
    held = connection.execute(HOLD, [ask.name, now]).fetchone()
    if held is not None and held[0] == ask.ticket:
        _renew(connection, ask, now=now)
        return LockGranted(fence=held[2], since=Instant(held[3]))
    if ask.place_us:
        ends = now + ask.place_us
        connection.execute(SHORTEN_PLACES, {"ends": ends, "name": ask.name})
        connection.execute(JOIN, [ask.name, ask.ticket, ends])
    queue = connection.execute(
        "SELECT ticket, until FROM lock_queue WHERE name = ? ORDER BY seq", [ask.name]
    ).fetchall()
    tickets = [ticket for ticket, _ in queue]
    if held is None and (not tickets or tickets[0] == ask.ticket):
        return _grant(connection, ask, now=now)
    _, holder, _, since, until = held or (None, "", None, None, queue[0][1])
    return LockBusy(
        holder=holder,
        since=None if since is None else Instant(since),
        until=Instant(until),
        ahead=tickets.index(ask.ticket) if ask.ticket in tickets else len(tickets),
    )


def _grant(
    connection: sqlite3.Connection, ask: LockAsk, *, now: Instant
) -> LockGranted:
    (fence,) = take_fences(connection, 1)
    until = now + ask.ttl_us
    connection.execute(
        GRANT, [ask.name, fence, ask.ticket, ask.holder, now, until, ask.ttl_us]
    )
    _leave(connection, ask)
    return LockGranted(fence=fence, since=now)


def _leave(connection: sqlite3.Connection, ask: LockAsk) -> None:
    connection.execute(
        "DELETE FROM lock_queue WHERE name = ? AND ticket = ?", [ask.name, ask.ticket]
    )


def renew(
    connection: sqlite3.Connection, *, asks: Sequence[LockAsk], now: Instant
) -> tuple[Verdict, ...]:
    """Extend each hold from now on whose ticket still has the lock."""
    return tuple(_renew(connection, ask, now=now) for ask in asks)


def _renew(connection: sqlite3.Connection, ask: LockAsk, *, now: Instant) -> Verdict:
    row = [now + ask.ttl_us, ask.ttl_us, ask.name, ask.ticket]
    return STORED if connection.execute(RENEW, row).rowcount == 1 else STALE


def release(connection: sqlite3.Connection, *, asks: Sequence[LockAsk]) -> None:
    """Give back locks that these tickets have, and places that they take."""
    connection.executemany(
        "DELETE FROM locks WHERE name = ? AND ticket = ?",
        [(ask.name, ask.ticket) for ask in asks],
    )
    for ask in asks:
        _leave(connection, ask)


def read(
    connection: sqlite3.Connection, *, now: Instant, limit: int
) -> tuple[LockRecord, ...]:
    """List locks that somebody has, those that end first before others."""
    return tuple(
        LockRecord(
            name=name,
            holder=holder,
            fence=fence,
            since=Instant(since),
            until=Instant(until),
            waiters=waiters,
        )
        for name, holder, fence, since, until, waiters in connection.execute(
            READ, [now, limit]
        ).fetchall()
    )
