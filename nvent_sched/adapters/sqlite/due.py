"""What is due: jobs to look at, and the facts that a plan for them needs.

The question is asked of each handler by itself, and the answers are merged: an index that
begins with the handler is then read in order, no further than wanted, however much is due
for others, or later. First one statement asks for the head of every handler, so that one
without anything due costs no statement of its own.
"""

from __future__ import annotations

import json
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import DueBatch, DueJob, LiveRun
from nvent_sched.adapters.sqlite.rows import JOB, job_from, live_from
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nvent_sched._model.instants import Instant

Row = tuple[Any, ...]

DUE_HEADS: Final = """
SELECT wanted.value, (
    SELECT look_at FROM jobs WHERE handler = wanted.value AND look_at IS NOT NULL
    ORDER BY look_at LIMIT 1
) FROM json_each(?) AS wanted
"""
DUE: Final = f"""
SELECT look_at, id, {JOB}, last_finished_at
FROM jobs LEFT JOIN stats ON stats.job = jobs.seq
WHERE handler = ? AND look_at <= ? ORDER BY look_at, id LIMIT ?
"""  # noqa: S608  only our own column names
LATER: Final = """
SELECT look_at FROM jobs WHERE handler = ? AND look_at > ? ORDER BY look_at LIMIT 1
"""
READY_HEADS: Final = """
SELECT wanted.value, (
    SELECT ready_at FROM runs WHERE state = 'ready' AND handler = wanted.value
    ORDER BY ready_at LIMIT 1
) FROM json_each(?) AS wanted
"""
FACTS: Final = f"""
SELECT look_at, id, {JOB}, last_finished_at
FROM (SELECT value FROM json_each(?)) AS wanted CROSS JOIN jobs ON jobs.id = value
LEFT JOIN stats ON stats.job = jobs.seq WHERE quarantine IS NULL
"""  # noqa: S608  only our own column names
LIVE: Final = """
SELECT runs.id, state, scheduled_time, due_time, cancel_reason, job_id
FROM json_each(?) AS wanted
CROSS JOIN runs INDEXED BY runs_live
    ON runs.job_id = wanted.value AND runs.state <> 'finished'
"""


def heads(
    connection: sqlite3.Connection, question: str, handlers: Iterable[str]
) -> dict[str, Instant]:
    """Say when the first is due for each of these handlers that has any."""
    wanted = json.dumps(list(dict.fromkeys(handlers)))
    rows = connection.execute(question, [wanted])
    return {handler: at for handler, at in rows if at is not None}


def merged(
    connection: sqlite3.Connection,
    question: str,
    handlers: Sequence[str],
    *,
    until: Instant,
    limit: int,
) -> Iterator[Row]:
    """Read rows of several handlers, in the order of their first two columns.

    Args:
        connection: In a transaction.
        question: Answers with a time and an id first, in their order; is given a
            handler, the last time and how many rows are wanted.
        handlers: Whose rows.
        until: None with a later time.
        limit: No more of each handler.
    """
    parts = (connection.execute(question, [each, until, limit]) for each in handlers)
    if len(handlers) == 1:
        return iter(next(parts).fetchall())
    return merge(*parts)


def take_due(
    connection: sqlite3.Connection,
    *,
    now: Instant,
    handlers: Sequence[str],
    limit: int,
) -> DueBatch:
    """Find jobs to look at, and those that cannot be read; changes nothing."""
    firsts = heads(connection, DUE_HEADS, handlers)
    due = [handler for handler, look_at in firsts.items() if look_at <= now]
    nexts = [look_at for look_at in firsts.values() if look_at > now]
    rows: list[Row] = []
    if due:
        found = merged(connection, DUE, due, until=now, limit=limit + 1)
        rows = list(islice(found, limit + 1))
    taken = rows[:limit]
    nexts += [row[0] for row in rows[limit:]] or _later(connection, due, now=now)
    quarantined: dict[str, str] = {}
    facts = _facts(connection, taken, quarantined=quarantined)
    return DueBatch(
        now=now,
        jobs=facts,
        next_look_at=min(nexts, default=None),
        next_ready_at=min(
            heads(connection, READY_HEADS, handlers).values(), default=None
        ),
        quarantined=quarantined,
    )


def _later(
    connection: sqlite3.Connection, handlers: Sequence[str], *, now: Instant
) -> list[Instant]:
    """Say when each of these handlers has something due after now, if it has."""
    rows = (connection.execute(LATER, [each, now]).fetchone() for each in handlers)
    return [row[0] for row in rows if row is not None]


def put_aside(
    connection: sqlite3.Connection, *, quarantined: Mapping[str, str]
) -> None:
    """Put jobs that cannot be read into quarantine, with the reason."""
    connection.executemany(
        "UPDATE jobs SET look_at = NULL, quarantine = ? WHERE id = ?",
        [(reason, job_id) for job_id, reason in quarantined.items()],
    )


def read_facts(
    connection: sqlite3.Connection, job_ids: Sequence[str]
) -> tuple[DueJob, ...]:
    """Read what a plan for these jobs needs; what cannot be read is left out."""
    wanted = json.dumps(list(dict.fromkeys(job_ids)))
    rows = connection.execute(FACTS, [wanted]).fetchall()
    return _facts(connection, rows, quarantined={})


def _facts(
    connection: sqlite3.Connection,
    rows: Sequence[Row],
    *,
    quarantined: dict[str, str],
) -> tuple[DueJob, ...]:
    if not rows:
        return ()
    live: dict[str, list[LiveRun]] = {}
    wanted = json.dumps([row[1] for row in rows])
    for row in connection.execute(LIVE, [wanted]):
        if (run := live_from(row)) is not None:
            live.setdefault(row[-1], []).append(run)
    facts: list[DueJob] = []
    for _, job_id, *columns, last_finished_at in rows:
        try:
            job = job_from(columns)
        except StoreError as error:
            quarantined[job_id] = str(error)
            continue
        going = live.get(job_id, ())
        facts.append(
            DueJob(
                job=job,
                live=_in_order(going) if going else (),
                last_finished_at=last_finished_at,
            )
        )
    return tuple(facts)


def _in_order(live: Iterable[LiveRun]) -> tuple[LiveRun, ...]:
    return tuple(sorted(live, key=lambda run: (run.scheduled_time, run.id)))
