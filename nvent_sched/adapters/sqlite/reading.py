"""What readers ask for: pages of jobs and runs, instances, events. Changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.queries import Page, next_after
from nvent_sched.adapters.sqlite.many import write_many
from nvent_sched.adapters.sqlite.rows import (
    EVENT,
    EVENT_KINDS,
    INSTANCE,
    JOB,
    RUN,
    event_from,
    event_row,
    instance_from,
    job_from,
    readable_runs,
)
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from enum import StrEnum

    from nvent_sched._model.events import Event
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.queries import JobQuery, RunQuery
    from nvent_sched._model.runs import Run

EVENTS_KEPT_MAX: Final = 10_000
TRIM_EVERY: Final = 1_000
Filters = list[tuple[str, Any]]


def _where(filters: Filters) -> tuple[str, list[Any]]:
    """Write the filters whose value is not None."""
    used = [(text, value) for text, value in filters if value is not None]
    if not used:
        return "", []
    return "WHERE " + " AND ".join(text for text, _ in used), [v for _, v in used]


def _listed(values: Iterable[str] | None) -> str | None:
    return None if values is None else json.dumps(list(values))


def _named(member: StrEnum | None) -> str | None:
    return None if member is None else member.value


def read_jobs(connection: sqlite3.Connection, query: JobQuery) -> Page[Job]:
    """Read jobs in the order of their ids."""
    filters: Filters = [
        ("quarantine IS NULL AND ?", 1),
        ("id IN (SELECT value FROM json_each(?))", _listed(query.ids)),
        ("status = ?", _named(query.status)),
        ("handler = ?", query.handler),
        (
            "contains_text(id, name, ?)",
            None if query.text is None else query.text.casefold(),
        ),
        (
            (
                "json_valid(definition) AND EXISTS (SELECT 1 FROM "
                "json_each(definition, '$.tags') WHERE value = ?)"
            ),
            query.tag,
        ),
    ]
    found: list[Job] = []
    after = query.after
    while True:
        rows = _job_rows(connection, filters, after=after, limit=query.limit + 1)
        for row in rows:
            if len(found) == query.limit:
                return Page(items=tuple(found), next=found[-1].id)
            after = row[-1]
            try:
                found.append(job_from(row[:-1]))
            except StoreError:
                continue  # `take_due` and `summary` tell
        if len(rows) <= query.limit:
            return Page(items=tuple(found))


def _job_rows(
    connection: sqlite3.Connection, filters: Filters, *, after: str | None, limit: int
) -> list[Any]:
    if after is not None:
        filters = [*filters, ("id > ?", after)]
    where, values = _where(filters)
    statement = f"SELECT {JOB}, id FROM jobs {where} ORDER BY id LIMIT ?"  # noqa: S608
    return connection.execute(statement, [*values, limit]).fetchall()


def contains_text(job_id: str, name: str, wanted: str) -> bool:
    """Say whether a text is part of the id or the name, in any case."""
    return wanted in job_id.casefold() or wanted in name.casefold()


def read_runs(connection: sqlite3.Connection, query: RunQuery) -> Page[Run]:
    """Read runs, newest occurrence first."""
    where, values = _where(_run_filters(query))
    rows = connection.execute(
        f"SELECT {RUN} FROM runs {where} "  # noqa: S608  only our own column names
        "ORDER BY scheduled_time DESC, id DESC LIMIT ?",
        [*values, query.limit + 1],
    ).fetchall()
    shown = rows[: query.limit]
    runs = tuple(readable_runs(shown))
    if len(rows) == len(shown) or not shown:
        return Page(items=runs)
    run_id, scheduled_time = shown[-1][0], shown[-1][5]
    return Page(items=runs, next=next_after((scheduled_time, run_id)))


def _run_filters(query: RunQuery) -> Filters:
    return [
        ("id IN (SELECT value FROM json_each(?))", _listed(query.ids)),
        ("job_id = ?", query.job_id),
        ("state IN (SELECT value FROM json_each(?))", _listed(query.states)),
        ("outcome IN (SELECT value FROM json_each(?))", _listed(query.outcomes)),
        ("origin = ?", _named(query.origin)),
        ("instance = ?", query.instance),
        ("scheduled_time >= ?", query.since),
        ("scheduled_time < ?", query.until),
        (
            (
                "(scheduled_time, id) < (SELECT json_extract(value, '$[0]'), "
                "json_extract(value, '$[1]') FROM json_each(?))"
            ),
            None if query.after is None else json.dumps([query.after_place()]),
        ),
    ]


def read_instances(connection: sqlite3.Connection) -> tuple[Instance, ...]:
    """List the instances, the oldest first."""
    rows = connection.execute(
        f"SELECT {INSTANCE} FROM instances ORDER BY started_at, id"  # noqa: S608  ours
    )
    return tuple(_readable_instances(rows.fetchall()))


def _readable_instances(rows: Iterable[Sequence[Any]]) -> Iterator[Instance]:
    for row in rows:
        try:
            yield instance_from(row)
        except StoreError:
            continue  # it says so with its next heartbeat, or is dead


def publish(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Add to the ring; trim it in steps."""
    rows = [event_row(event) for event in events]
    write_many(
        connection,
        "INSERT INTO events (at, kind, instance, job_id, run_id, detail)",
        rows,
    )
    (last,) = connection.execute("SELECT max(seq) FROM events").fetchone()
    if last is not None and last // TRIM_EVERY != (last - len(rows)) // TRIM_EVERY:
        connection.execute(
            "DELETE FROM events WHERE seq <= ?", [last - EVENTS_KEPT_MAX]
        )


def read_events(
    connection: sqlite3.Connection, *, after: int | None, limit: int
) -> tuple[Event, ...]:
    """Read events with a number above *after*; with None the last one."""
    # What a newer release tells, or what was damaged, is passed over.
    known = f"SELECT {EVENT} FROM events WHERE kind IN ({EVENT_KINDS})"  # noqa: S608
    if after is None:
        text = f"{known} ORDER BY seq DESC LIMIT 1"
        return tuple(map(event_from, connection.execute(text).fetchall()))
    text = f"{known} AND seq > ? ORDER BY seq LIMIT ?"
    return tuple(map(event_from, connection.execute(text, [after, limit]).fetchall()))
