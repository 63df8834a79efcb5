"""The file as an object: where it is, whether it is open, and how to step on it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar

from nvent_sched._model.instants import MICROSECOND, SECOND_US
from nvent_sched._port import Traits
from nvent_sched.adapters._owner import Owner
from nvent_sched.adapters.sqlite.grouping import Grouping
from nvent_sched.adapters.sqlite.hints import HintThread
from nvent_sched.adapters.sqlite.location import (
    BUSY_TIMEOUT,
    POLL,
    Location,
    location_from,
)
from nvent_sched.adapters.sqlite.locks import InstanceLocks
from nvent_sched.errors import StoreUnavailableError, UsageError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import timedelta

    from nvent_sched._model.instants import Instant
    from nvent_sched.adapters.sqlite.location import Mode, Synchronous

R = TypeVar("R")
ALONE_POLL_US: Final = 3_600 * SECOND_US


class SqliteFile:
    """A SQLite file, or none: what there is of a store before its verbs.

    Args:
        path: The file; ":memory:" for none. `~` stands for the home folder.
        synchronous: "FULL" survives a power cut; "NORMAL" may lose the last answers
            in one, "OFF" the file.
        busy_timeout: How long to wait for another process's transaction.
        poll: How often to look for what another process did; at least 10 ms.
        mode: "rwc" creates the file if it is missing, "rw" does not, "ro" only reads.

    Raises:
        UsageError: A setting is not allowed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        synchronous: Synchronous = "FULL",
        busy_timeout: timedelta = BUSY_TIMEOUT,
        poll: timedelta = POLL,
        mode: Mode = "rwc",
    ) -> None:
        text = os.fspath(path)
        location = Location(
            path=str(Path(text).expanduser()) if text.startswith("~") else text,
            synchronous=synchronous,
            busy_timeout=busy_timeout,
            poll=poll,
            mode=mode,
        )
        self._shown, self._location = location, location.here
        self._owner: Owner[sqlite3.Connection] | None = None
        self._hints: HintThread | None = None
        self._locks = InstanceLocks(self._location.instances)
        is_file = not location.is_memory
        self._traits = Traits(
            name="sqlite",
            is_shared=is_file,
            is_durable=is_file,
            has_own_clock=False,
            hint_delay_us_max=poll // MICROSECOND if is_file else ALONE_POLL_US,
        )

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Make the adapter that a URL names.

        Args:
            url: `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite:///:memory:`
                or `file:relative.db`; with `?synchronous=NORMAL&busy_timeout=5&poll=2&mode=ro`
                (seconds) if wanted.

        Raises:
            UsageError: It is malformed or has an option that is not known.
        """
        location = location_from(url)
        return cls(
            location.path,
            synchronous=location.synchronous,
            busy_timeout=location.busy_timeout,
            poll=location.poll,
            mode=location.mode,
        )

    @property
    def _path(self) -> str:
        return self._location.path

    def __repr__(self) -> str:
        """Say where it is."""
        return f"{type(self).__name__}({self._shown.path!r})"

    @property
    def traits(self) -> Traits:
        """What it can do."""
        return self._traits

    @property
    def url(self) -> str:
        """Where it is."""
        return self._shown.url

    def on_hint(self, hint: Callable[[], None]) -> None:
        """Call *hint* when another process rings, if this system tells; from a thread."""
        if self._location.instances is None or self._hints is not None:
            return
        self._hints = HintThread(hint=hint)
        self._locks.on_taken(self._hints.watch)

    async def open(self, *, now: Instant) -> None:  # noqa: ARG002  a file has no clock
        """Open the file, and create or migrate its schema."""
        if self._owner is not None:
            msg = f"{self._path} is open already; one adapter serves one scheduler"
            raise UsageError(msg)
        grouping = Grouping(self._location, let_go=self._locks.close)
        self._owner = Owner(
            name="nvent-sqlite",
            execute=grouping.execute,
            finish=grouping.finish,
        )
        try:
            await self._owner.call(_nothing, is_write=False)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the file and of the locks."""
        hints, self._hints = self._hints, None
        owner, self._owner = self._owner, None
        try:
            if owner is not None:
                await owner.close()
        finally:
            if hints is not None:
                await hints.end()

    async def _step(
        self,
        step: Callable[[sqlite3.Connection], R],
        *,
        is_write: bool,
        is_kept: bool = True,
    ) -> R:
        if self._owner is None:
            msg = f"{self._path} is not open"
            raise StoreUnavailableError(msg)
        return await self._owner.call(step, is_write=is_write, is_kept=is_kept)

    async def _read(self, step: Callable[[sqlite3.Connection], R]) -> R:
        return await self._step(step, is_write=False)

    async def _write(self, step: Callable[[sqlite3.Connection], R]) -> R:
        return await self._step(step, is_write=True)

    async def _tell(self, step: Callable[[sqlite3.Connection], R]) -> R:
        """Write what is for those who watch now: it is on the disk with what comes next."""
        return await self._step(step, is_write=True, is_kept=False)


def _nothing(connection: sqlite3.Connection) -> None:
    """Do nothing; asked for to see that the file can be opened."""
    del connection
