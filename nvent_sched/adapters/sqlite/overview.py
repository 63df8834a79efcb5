"""The store at a glance, and what should never be found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlite_utils import Database

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import StoreSummary
from nvent_sched._model.runs import Origin, Outcome, RunState
from nvent_sched.adapters._codec import definition_from
from nvent_sched.adapters.sqlite.locks import room_left_share
from nvent_sched.adapters.sqlite.rows import RUN, run_from
from nvent_sched.adapters.sqlite.schema import WAITS
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from nvent_sched._model.instants import Instant

FINDINGS: Final[tuple[tuple[str, str], ...]] = (
    (
        "job {} is active, but nothing will ever look at it: pause and resume it",
        (
            "SELECT id FROM jobs WHERE status = 'active' AND look_at IS NULL "
            "AND NOT looks_on_finish AND quarantine IS NULL"
        ),
    ),
    (
        "job {} would plan an occurrence that it already considered: reschedule it",
        "SELECT id FROM jobs WHERE next_time <= considered_until",
    ),
    (
        "run {} is claimed without a lease: cancel it",
        (
            "SELECT id FROM runs WHERE state = 'claimed' "
            "AND (lease_until IS NULL OR instance IS NULL)"
        ),
    ),
    (
        "run {} is finished without an outcome",
        "SELECT id FROM runs WHERE (state = 'finished') <> (outcome IS NOT NULL)",
    ),
    (
        "run {} has a fence above every one given out: restore the newest backup",
        (
            "SELECT id FROM runs "
            "WHERE fence > (SELECT value FROM counters WHERE name = 'fence')"
        ),
    ),
    (
        "run {} waits, and nothing will ever look at its job: cancel it",
        (
            "SELECT runs.id FROM runs LEFT JOIN jobs ON jobs.id = runs.job_id "
            "WHERE runs.state = 'waiting' AND (jobs.id IS NULL OR (jobs.look_at IS NULL "
            "AND NOT (jobs.looks_on_finish AND EXISTS (SELECT 1 FROM runs AS other "
            "WHERE other.job_id = runs.job_id AND other.state IN ('ready', 'claimed')))))"
        ),
    ),
    (
        "the counters of job {} are behind its history",
        (
            "SELECT job_id FROM (SELECT job_id, sum(count) AS kept FROM runs "
            "WHERE state = 'finished' GROUP BY job_id) JOIN jobs ON jobs.id = job_id "
            "JOIN stats ON stats.job = jobs.seq "
            "WHERE kept > succeeded + failed + timed_out + cancelled + lost "
            "+ skipped_overlap + missed + dead_lettered"
        ),
    ),
)
# Each handler's jobs are in order in an index, the handlers' first ones are not: without
# this walk from handler to handler a million jobs would be read and sorted (2 s).
HANDLERS: Final = """
WITH RECURSIVE handlers (taker) AS (
    SELECT (SELECT handler FROM jobs WHERE look_at IS NOT NULL ORDER BY handler LIMIT 1)
    UNION ALL
    SELECT (
        SELECT handler FROM jobs WHERE look_at IS NOT NULL AND handler > taker
        ORDER BY handler LIMIT 1
    ) FROM handlers WHERE taker IS NOT NULL
)
"""
OLDEST: Final = f"""
{HANDLERS}
SELECT min((
    SELECT look_at FROM jobs
    WHERE handler = taker AND look_at IS NOT NULL AND +status = 'active'
    ORDER BY look_at LIMIT 1
)) FROM handlers
"""  # noqa: S608  our own text
UNRESOLVED: Final = f"""
{HANDLERS}, listed (name) AS (
    SELECT value FROM instances, json_each(
        CASE json_valid(instances.handlers) WHEN 1 THEN instances.handlers ELSE '[]' END
    )
), due (handler, count) AS (
    SELECT taker, (
        SELECT count(*) FROM jobs
        WHERE handler = taker AND look_at IS NOT NULL AND look_at <= :now
    ) FROM handlers WHERE taker IS NOT NULL AND taker NOT IN (SELECT name FROM listed)
    UNION ALL
    SELECT handler, count(*) FROM runs
    WHERE state = 'ready' AND ready_at <= :now
    AND handler NOT IN (SELECT name FROM listed) GROUP BY handler
)
SELECT handler, sum(count) FROM due GROUP BY handler HAVING sum(count) > 0
"""  # noqa: S608  our own text
_STATUSES: Final = frozenset(map(str, JobStatus))
_LIVE: Final = frozenset(map(str, RunState))
_OUTCOMES: Final = ", ".join(f"'{each}'" for each in Outcome)
_STATES: Final = ", ".join(f"'{each}'" for each in RunState)
_ORIGINS: Final = ", ".join(f"'{each}'" for each in Origin)
FINDINGS_MAX: Final = 100
ROOM_SHARE_MIN: Final = 0.02


def summary(
    connection: sqlite3.Connection, *, path: str, now: Instant, is_deep: bool
) -> StoreSummary:
    """Look at the store as a whole."""
    jobs, waits = _jobs_and_waits(connection)
    live = connection.execute(
        "SELECT state, count(*) FROM runs WHERE state <> 'finished' GROUP BY state"
    ).fetchall()
    (all_runs,) = connection.execute("SELECT count(*) FROM runs").fetchone()
    (oldest,) = connection.execute(OLDEST).fetchone()
    quarantined = connection.execute(
        "SELECT id, quarantine FROM jobs WHERE quarantine IS NOT NULL"
    ).fetchall()
    settings = _settings(connection)
    return StoreSummary(
        jobs=jobs,
        waits=waits,
        live_runs={RunState(name): count for name, count in live if name in _LIVE},
        finished_runs=all_runs - sum(count for _, count in live),
        oldest_look_at=oldest,
        unresolved=_unresolved(connection, now=now),
        quarantined=dict(quarantined),
        findings=tuple(_findings(connection)) if is_deep else (),
        settings=settings,
        dangers=tuple(_dangers(settings, path=path)),
    )


def _jobs_and_waits(
    connection: sqlite3.Connection,
) -> tuple[dict[JobStatus, int], dict[JobStatus, int]]:
    """Count both by status; what is in quarantine is neither."""
    every, waits = _readable(connection, "TRUE"), _readable(connection, f"({WAITS})")
    jobs = {status: count - waits.get(status, 0) for status, count in every.items()}
    return jobs, waits


def _readable(connection: sqlite3.Connection, which: str) -> dict[JobStatus, int]:
    # Each is one walk through an index; to ask of each job costs a second a million.
    stored = _by_status(connection, f"jobs WHERE {which}")
    aside = _by_status(
        connection,
        f"jobs INDEXED BY jobs_quarantine WHERE quarantine IS NOT NULL AND {which}",
    )
    return {status: count - aside.get(status, 0) for status, count in stored.items()}


def _by_status(connection: sqlite3.Connection, which: str) -> dict[JobStatus, int]:
    rows = connection.execute(
        f"SELECT status, count(*) FROM {which} GROUP BY status"  # noqa: S608  our own text
    )
    return {JobStatus(name): count for name, count in rows if name in _STATUSES}


def _unresolved(connection: sqlite3.Connection, *, now: Instant) -> dict[str, int]:
    """Count due work whose handler no listed instance has."""
    rows = connection.execute(UNRESOLVED, {"now": now})
    return dict(rows.fetchall())


def _settings(connection: sqlite3.Connection) -> dict[str, str]:
    names = ("journal_mode", "synchronous", "user_version", "page_count", "page_size")
    read = {
        name: str(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in names
    }
    levels = {"0": "OFF", "1": "NORMAL", "2": "FULL", "3": "EXTRA"}
    read["synchronous"] = levels.get(read["synchronous"], read["synchronous"])
    read["schema"] = read.pop("user_version")
    read["bytes"] = str(int(read.pop("page_count")) * int(read.pop("page_size")))
    (version,) = connection.execute("SELECT sqlite_version()").fetchone()
    return read | {"sqlite": str(version)}


def _dangers(settings: dict[str, str], *, path: str) -> Iterator[str]:
    if path == ":memory:":
        yield "the store is in memory: everything is lost when the process ends"
        return
    if settings["synchronous"] not in {"FULL", "EXTRA"}:
        yield (
            f"synchronous={settings['synchronous']}: a power cut may take back what "
            "was answered, so an occurrence may run twice; FULL does not"
        )
    if settings["journal_mode"] != "wal":
        yield (
            f"journal_mode={settings['journal_mode']}: readers and writers block one "
            "another; a network file system cannot do WAL and is not safe for this"
        )
    room = room_left_share(path)
    if room is not None and room < ROOM_SHARE_MIN:
        yield f"only {room:.1%} of the file system is free"


def _findings(connection: sqlite3.Connection) -> Iterator[str]:
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        yield f"the file is damaged: {answer}; restore a backup"
    for text, statement in FINDINGS:
        for row in connection.execute(f"{statement} LIMIT {FINDINGS_MAX}"):
            yield text.format(repr(row[0]))
    for row in Database(connection, execute_plugins=False).query(
        "SELECT id, definition FROM jobs WHERE quarantine IS NULL"
    ):
        try:
            definition_from(row["definition"])
        except StoreError as error:
            yield f"job {row['id']!r} cannot be read: {error}"
    # Of a run only these can be unreadable, and few have them.
    for run in connection.execute(
        f"SELECT {RUN} FROM runs WHERE log IS NOT NULL OR attempts IS NOT NULL "  # noqa: S608  ours
        f"OR state NOT IN ({_STATES}) OR origin NOT IN ({_ORIGINS}) "
        f"OR outcome NOT IN ({_OUTCOMES}) OR NOT json_valid(coalesce(payload, '{{}}')) "
        "OR NOT json_valid(coalesce(result, 'null'))"
    ):
        try:
            run_from(run)
        except StoreError as error:
            yield f"run {run[0]!r} cannot be read, and nobody will start it: {error}"
