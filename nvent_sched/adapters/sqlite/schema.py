"""The schema of the file, its number, and the steps from one number to the next.

`application_id` marks the file as ours, `user_version` holds the number. A file with a
higher number was written by a newer release and is not touched; a database with tables
of somebody else's is refused.

The tables are STRICT: whoever writes to them, a column holds what its type says, so that
instants can be compared and put in order wherever they come from.

Statistics are kept under the number of the job in its table, not its id: a bucket of a
histogram is four small integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlite_utils import Database

from nvent_sched.errors import SchemaError, StoreCorruptError

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID: Final = 0x6E76736B  # "nvsk"

FIRST: Final = (
    """
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        definition TEXT NOT NULL,
        name TEXT NOT NULL,
        handler TEXT NOT NULL,
        version INTEGER NOT NULL,
        status TEXT NOT NULL,
        note TEXT NOT NULL,
        anchor INTEGER NOT NULL,
        considered_until INTEGER NOT NULL,
        next_time INTEGER,
        look_at INTEGER,
        looks_on_finish INTEGER NOT NULL,
        planned INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        quarantine TEXT
    ) STRICT
    """,
    # The handler first: what is due for others stands in nobody's way.
    """
    CREATE INDEX jobs_due ON jobs (handler, look_at, id) WHERE look_at IS NOT NULL
    """,
    "CREATE INDEX jobs_status ON jobs (status)",
    """
    CREATE INDEX jobs_quarantine ON jobs (id) WHERE quarantine IS NOT NULL
    """,
    """
    CREATE TABLE runs (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        job_id TEXT NOT NULL,
        handler TEXT NOT NULL,
        payload TEXT,
        origin TEXT NOT NULL,
        scheduled_time INTEGER NOT NULL,
        due_time INTEGER NOT NULL,
        ready_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        crashes INTEGER NOT NULL,
        fence INTEGER NOT NULL,
        instance TEXT,
        lease_until INTEGER,
        started_at INTEGER,
        finished_at INTEGER,
        outcome TEXT,
        reason TEXT,
        error TEXT,
        result TEXT,
        log TEXT,
        progress REAL,
        progress_note TEXT,
        cancel_reason TEXT,
        attempts TEXT,
        count INTEGER NOT NULL,
        until_time INTEGER,
        keep_until INTEGER,
        request TEXT
    ) STRICT
    """,
    "CREATE INDEX runs_job ON runs (job_id, scheduled_time)",
    "CREATE INDEX runs_time ON runs (scheduled_time)",
    # Small: only runs that are not finished are in these.
    "CREATE INDEX runs_live ON runs (job_id) WHERE state <> 'finished'",
    "CREATE INDEX runs_ready ON runs (handler, ready_at, id) WHERE state = 'ready'",
    "CREATE INDEX runs_claimed ON runs (lease_until) WHERE state = 'claimed'",
    """
    CREATE INDEX runs_unwanted ON runs (instance)
    WHERE state = 'claimed' AND cancel_reason IS NOT NULL
    """,
    "CREATE INDEX runs_request ON runs (request) WHERE request IS NOT NULL",
    "CREATE INDEX runs_keep ON runs (keep_until) WHERE keep_until IS NOT NULL",
    """
    CREATE TABLE stats (
        job INTEGER PRIMARY KEY,
        succeeded INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        timed_out INTEGER NOT NULL,
        cancelled INTEGER NOT NULL,
        lost INTEGER NOT NULL,
        skipped_overlap INTEGER NOT NULL,
        missed INTEGER NOT NULL,
        dead_lettered INTEGER NOT NULL,
        retries INTEGER NOT NULL,
        success_streak INTEGER NOT NULL,
        failure_streak INTEGER NOT NULL,
        last_outcome TEXT,
        last_started_at INTEGER,
        last_finished_at INTEGER,
        last_success_at INTEGER,
        last_failure_at INTEGER,
        last_error TEXT
    ) STRICT
    """,
    """
    CREATE TABLE histogram (
        job INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        bucket INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (job, kind, bucket)
    ) WITHOUT ROWID, STRICT
    """,
    """
    CREATE TABLE instances (
        id TEXT PRIMARY KEY,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        release TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        heartbeat_at INTEGER NOT NULL,
        handlers TEXT NOT NULL,
        slots INTEGER NOT NULL,
        running INTEGER NOT NULL,
        machine TEXT
    ) WITHOUT ROWID, STRICT
    """,
    """
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        instance TEXT NOT NULL,
        job_id TEXT,
        run_id TEXT,
        detail TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE locks (
        name TEXT PRIMARY KEY,
        fence INTEGER NOT NULL,
        ticket TEXT NOT NULL,
        holder TEXT NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL,
        ttl INTEGER NOT NULL
    ) WITHOUT ROWID, STRICT
    """,
    "CREATE INDEX locks_until ON locks (until, name)",
    """
    CREATE TABLE lock_queue (
        seq INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        ticket TEXT NOT NULL,
        until INTEGER NOT NULL,
        UNIQUE (name, ticket)
    ) STRICT
    """,
    "CREATE INDEX lock_queue_until ON lock_queue (until)",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",
    "INSERT INTO counters VALUES ('fence', 0)",
)

WAITS: Final = (
    "(id >= 'await:' AND id < 'await;') OR (id >= 'deadline:' AND id < 'deadline;') "
    "OR (id >= 'watchdog:' AND id < 'watchdog;')"
)
"""Which jobs stand for waits. There may be very many, and they are counted apart."""

SECOND: Final = (f"CREATE INDEX jobs_waits ON jobs (status) WHERE {WAITS}",)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (FIRST, SECOND)
"""Only ever added to: the statements that lead from each number to the next."""

SCHEMA: Final = len(MIGRATIONS)


def schema_number(connection: sqlite3.Connection, *, path: str) -> int:
    """Read the file's number without changing anything; 0 for an empty file.

    Raises:
        SchemaError: A newer release wrote it.
        StoreCorruptError: It is somebody else's database.
    """
    mark, number, tables = _marks_of(connection)
    if mark != APPLICATION_ID:
        if mark or number or tables:
            msg = (
                f"{path} is a database of something else (tables {tables[:5]}); it was "
                "left as it is: choose another file"
            )
            raise StoreCorruptError(msg)
        return 0
    if number > SCHEMA:
        msg = (
            f"{path} was written by a newer release (schema {number}, this one knows "
            f"{SCHEMA}); it was not touched: upgrade nvent-sched"
        )
        raise SchemaError(msg)
    return number


def _marks_of(connection: sqlite3.Connection) -> tuple[int, int, list[str]]:
    """Read the mark, the number and the tables at one moment.

    Read one after another, a file that another process is just creating looks like a
    database with our tables but without our mark.
    """
    is_alone = not connection.in_transaction
    if is_alone:
        connection.execute("BEGIN")
    try:
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        (number,) = connection.execute("PRAGMA user_version").fetchone()
        tables = Database(connection, execute_plugins=False).table_names()
    finally:
        if is_alone and connection.in_transaction:
            connection.execute("ROLLBACK")
    return mark, number, tables


def migrate(connection: sqlite3.Connection, *, path: str) -> None:
    """Bring the file to our number, in one transaction.

    Two processes may come at the same moment: the second waits and finds it done.
    """
    if schema_number(connection, path=path) == SCHEMA:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[schema_number(connection, path=path) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
