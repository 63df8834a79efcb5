"""Group commit: what waits for the owner is executed in one transaction.

At `synchronous=FULL` a commit waits for the disk, and a hundred calls that share one are
fifty times as fast as a hundred that do not. A call that fails takes no other with it: the
transaction is rolled back, and each is executed once more in one of its own. If there is
no transaction to be had, or it cannot be committed, all of them are told, and none waits
a second time.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvent_sched.adapters._codec import UNREADABLE
from nvent_sched.adapters.sqlite import reading
from nvent_sched.adapters.sqlite.faults import fault_of
from nvent_sched.adapters.sqlite.schema import SCHEMA, migrate, schema_number
from nvent_sched.errors import (
    StoreCorruptError,
    StoreReadOnlyError,
    StoreUnavailableError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nvent_sched.adapters._owner import Call
    from nvent_sched.adapters.sqlite.location import Location, Synchronous

STATEMENTS_CACHED: Final = 256
CHECKPOINT_PAGES: Final = 4_000
"""A log of 16 MiB: what is written again and again is copied back once."""
BUSY_WAIT_S: Final = 0.001
"""How soon is looked again whether another process has ended what we wait for."""
CACHE_KIB: Final = 16 * 1_024


class _StepFailedError(Exception):
    """A step of a group failed, not the transaction around it."""


class Grouping:
    """The connection, on the owner's thread: executes groups, and is let go of.

    Args:
        location: Of the file; it is opened with the first group.
        let_go: What else is to be let go of at the end.
    """

    def __init__(self, location: Location, *, let_go: Callable[[], None]) -> None:
        self._location = location
        self._let_go = let_go
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._level: Synchronous = "FULL"

    def execute(
        self, group: Sequence[Call[sqlite3.Connection]]
    ) -> Iterator[Sequence[Call[sqlite3.Connection]]]:
        """Execute what waits: together, or each by itself.

        What only reads comes first, and waits for no lock that a write needs.
        """
        reads = [call for call in group if not call.is_write]
        writes = [call for call in group if call.is_write]
        for part in filter(None, (reads, writes)):
            if not self._is_done(part):
                for call in part:
                    self._is_done([call])
            yield part

    def finish(self) -> None:
        """Let go of the file."""
        self._let_go()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _is_done(self, group: Sequence[Call[sqlite3.Connection]]) -> bool:
        """Execute calls in one transaction; say whether each was answered."""
        try:
            self._transaction(self._connected(), group)
        except _StepFailedError as failed:
            if len(group) > 1:
                return False
            group[0].error = self._ours(failed.__cause__ or failed)
        except Exception as error:  # noqa: BLE001  it belongs to every caller
            for call in group:
                call.error = self._ours(error)
        return True

    def _transaction(
        self, connection: sqlite3.Connection, group: Sequence[Call[sqlite3.Connection]]
    ) -> None:
        is_write = any(call.is_write for call in group)
        is_kept = any(call.is_kept for call in group)
        self._set_level(connection, "FULL" if is_kept else "NORMAL")
        if is_write:
            _once_free(connection, "BEGIN IMMEDIATE", self._location)
        else:
            connection.execute("BEGIN")
        try:
            _step_all(connection, group)
            connection.execute("COMMIT")
        except BaseException:
            roll_back(connection)
            raise

    def _set_level(self, connection: sqlite3.Connection, level: Synchronous) -> None:
        """Let the next commit wait for the disk, or leave that to the one after it."""
        if self._location.synchronous == "FULL" and level != self._level:
            connection.execute(f"PRAGMA synchronous = {level}")
            self._level = level

    def _ours(self, error: BaseException) -> BaseException:
        if isinstance(error, sqlite3.Error):
            fault = fault_of(error, path=self._location.path)
            fault.__cause__ = error
            return fault
        if isinstance(error, UNREADABLE) and not isinstance(error, UsageError):
            msg = (
                f"{self._location.path}: what is stored there cannot be read ({error!r}); "
                "`nvent-sched check` tells what is damaged"
            )
            fault = StoreCorruptError(msg)
            fault.__cause__ = error
            return fault
        return error

    def _connected(self) -> sqlite3.Connection:
        location = self._location
        if self._connection is None:
            _check_folder(location)
            connection = sqlite3.connect(
                location.driver_uri,
                uri=True,
                timeout=location.busy_timeout_s,
                isolation_level=None,
                cached_statements=STATEMENTS_CACHED,
            )
            try:
                _prepare(connection, location)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            self._identity = _identity_of(location)
        elif _identity_of(location) != self._identity:
            # SQLite would go on writing into a file that nobody can find any more. It
            # is not opened anew: closing it would delete the log of what is there now.
            msg = (
                f"{location.path} was deleted, moved or replaced while in use; put it "
                "back, or stop and start again"
            )
            raise StoreUnavailableError(msg)
        return self._connection


def _identity_of(location: Location) -> tuple[int, int] | None:
    """Say which file has the name now; None for none."""
    if location.is_memory:
        return None
    try:
        found = os.stat(location.path)  # noqa: PTH116  with each step: half the time
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _once_free(
    connection: sqlite3.Connection, statement: str, location: Location
) -> None:
    """Execute what others may stand in the way of, as soon as they do not.

    SQLite itself looks ever more rarely whether the other has ended, in the end every
    tenth of a second; among several that write, one that is unlucky waits for many.
    """
    looks_left = int(location.busy_timeout_s / BUSY_WAIT_S)
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute(statement).fetchone()
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or looks_left <= 0:
                    raise
                threading.Event().wait(BUSY_WAIT_S)
                looks_left -= 1
            else:
                return
    finally:
        milliseconds = int(location.busy_timeout_s * 1_000)
        connection.execute(f"PRAGMA busy_timeout = {milliseconds}")


def _step_all(
    connection: sqlite3.Connection, group: Sequence[Call[sqlite3.Connection]]
) -> None:
    try:
        for call in group:
            call.result = call.step(connection)
    except Exception as error:
        raise _StepFailedError from error


def roll_back(connection: sqlite3.Connection) -> None:
    """Undo the transaction; a failure such as a full disk may have done so already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _check_folder(location: Location) -> None:
    folder = Path(location.path).parent
    if not location.is_memory and not folder.is_dir():
        msg = f"{location.path}: its folder {folder} does not exist; create it first"
        raise StoreUnavailableError(msg)


def _prepare(connection: sqlite3.Connection, location: Location) -> None:
    # Looked at before anything is set: a file that is not ours stays as it is.
    number = schema_number(connection, path=location.path)
    connection.create_function(
        "contains_text", 3, reading.contains_text, deterministic=True
    )
    if location.mode == "ro":
        if number < SCHEMA:
            msg = f"{location.path} is no store yet, and mode=ro makes none"
            raise StoreReadOnlyError(msg)
        return
    # Only one of those who open a new file together can change it to a log. SQLite tells
    # the others at once that they are too late, however long its time-out is, so that
    # none waits for another's lock while it has one itself.
    _once_free(connection, "PRAGMA journal_mode = WAL", location)
    connection.execute(f"PRAGMA synchronous = {location.synchronous}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
    migrate(connection, path=location.path)
    # Who may only read hears of it now, and not with the first write.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")
