"""The adapter: each verb is one step, handed to the owner of the connection."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from nvent_sched._model.instants import SECOND_US, span_us
from nvent_sched._port import Traits
from nvent_sched.adapters._owner import Call, Owner
from nvent_sched.adapters.sqlite import jobs, overview, reading, runs, tallies
from nvent_sched.adapters.sqlite.faults import fault_of
from nvent_sched.adapters.sqlite.locks import InstanceLocks
from nvent_sched.adapters.sqlite.schema import migrate, schema_number
from nvent_sched.errors import StoreUnavailableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvent_sched._model.claims import (
        Claims,
        Committed,
        DueBatch,
        DueJob,
        JobWrite,
        Lost,
        Plan,
        Pool,
        Renewal,
        Renewed,
        Settlement,
        Stale,
        Verdict,
    )
    from nvent_sched._model.events import Event
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.queries import JobQuery, Page, RunQuery, StoreSummary
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats

R = TypeVar("R")
Synchronous = Literal["FULL", "NORMAL", "OFF"]
MEMORY: Final = ":memory:"
POLL_US: Final = SECOND_US // 2
ALONE_POLL_US: Final = 3_600 * SECOND_US
STATEMENTS_CACHED: Final = 256


class SqliteAdapter:
    """A store in a SQLite file, or in memory.

    Args:
        path: The file; ":memory:" for none. `~` stands for the home folder.
        synchronous: "FULL" survives a power cut; "NORMAL" may lose the last answers
            in one, "OFF" the file.
        busy_timeout: How long to wait for another process's transaction.

    Raises:
        UsageError: A setting is not allowed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        synchronous: Synchronous = "FULL",
        busy_timeout: timedelta = timedelta(seconds=10),
    ) -> None:
        if synchronous not in get_args(Synchronous):
            msg = f"synchronous must be FULL, NORMAL or OFF, not {synchronous!r}"
            raise UsageError(msg)
        text = os.fspath(path)
        self._path = text if text == MEMORY else str(Path(text).expanduser())
        self._synchronous = synchronous
        self._busy_us = span_us(busy_timeout, name="busy_timeout")
        self._connection: sqlite3.Connection | None = None
        self._owner: Owner[sqlite3.Connection] | None = None
        is_file = self._path != MEMORY
        folder = Path(f"{self._path}.instances").absolute() if is_file else None
        self._locks = InstanceLocks(folder)
        self._traits = Traits(
            name="sqlite",
            is_shared=is_file,
            is_durable=is_file,
            has_own_clock=False,
            hint_delay_us_max=POLL_US if is_file else ALONE_POLL_US,
        )

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Make the adapter that a URL names.

        Args:
            url: `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite:///:memory:`
                or `file:relative.db`; with `?synchronous=NORMAL&busy_timeout=5`
                (seconds) if wanted.

        Raises:
            UsageError: It is malformed or has an option that is not known.
        """
        parts = urlsplit(url)
        path = unquote(parts.path)
        if parts.netloc:
            msg = (
                f"{url!r} names a host ({parts.netloc!r}); a file needs three slashes "
                "(sqlite:///jobs.db), an absolute one four (sqlite:////srv/jobs.db)"
            )
            raise UsageError(msg)
        if parts.scheme == "sqlite":
            path = path.removeprefix("/") or MEMORY
        if not path:
            msg = f"{url!r} names no file; for example file:jobs.db"
            raise UsageError(msg)
        options: dict[str, Any] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            options |= _option(name, value)
        return cls(path, **options)

    def __repr__(self) -> str:
        """Say where it is."""
        return f"SqliteAdapter({self._path!r})"

    @property
    def traits(self) -> Traits:
        """What it can do."""
        return self._traits

    @property
    def url(self) -> str:
        """Where it is."""
        return f"sqlite:///{self._path}"

    def on_hint(self, hint: Callable[[], None]) -> None:
        """Do nothing: a file tells nobody; the engine looks at least twice a second."""

    async def open(self, *, now: Instant) -> None:  # noqa: ARG002  a file has no clock
        """Open the file, and create or migrate its schema."""
        if self._owner is not None:
            msg = f"{self._path} is open already; one adapter serves one scheduler"
            raise UsageError(msg)
        self._owner = Owner(
            name="nvent-sqlite", execute=self._execute, finish=self._disconnect
        )
        try:
            await self._owner.call(_nothing, is_write=False)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the file and of the locks."""
        owner, self._owner = self._owner, None
        if owner is not None:
            await owner.close()

    async def _step(
        self, step: Callable[[sqlite3.Connection], R], *, is_write: bool
    ) -> R:
        if self._owner is None:
            msg = f"{self._path} is not open"
            raise StoreUnavailableError(msg)
        return await self._owner.call(step, is_write=is_write)

    async def _read(self, step: Callable[[sqlite3.Connection], R]) -> R:
        return await self._step(step, is_write=False)

    async def _write(self, step: Callable[[sqlite3.Connection], R]) -> R:
        return await self._step(step, is_write=True)

    def _execute(self, group: Sequence[Call[sqlite3.Connection]]) -> None:
        """Execute what waits, in the owner's thread: together, or each by itself."""
        try:
            connection = self._connected()
        except Exception as error:  # noqa: BLE001  it belongs to every caller
            for call in group:
                call.error = self._ours(error)
            return
        try:
            self._transaction(connection, group)
        except Exception as error:  # noqa: BLE001  it belongs to one of the callers
            if len(group) == 1:
                group[0].error = self._ours(error)
                return
            for call in group:
                self._execute([call])

    def _transaction(
        self, connection: sqlite3.Connection, group: Sequence[Call[sqlite3.Connection]]
    ) -> None:
        is_write = any(call.is_write for call in group)
        connection.execute("BEGIN IMMEDIATE" if is_write else "BEGIN")
        try:
            for call in group:
                call.result = call.step(connection)
            connection.execute("COMMIT")
        except BaseException:
            # A failure such as a full disk may have rolled back by itself.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _ours(self, error: Exception) -> Exception:
        if isinstance(error, sqlite3.Error):
            fault = fault_of(error, path=self._path)
            fault.__cause__ = error
            return fault
        return error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._check_folder()
            connection = sqlite3.connect(
                self._path,
                timeout=self._busy_us / SECOND_US,
                isolation_level=None,
                cached_statements=STATEMENTS_CACHED,
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _check_folder(self) -> None:
        folder = Path(self._path).absolute().parent
        if self._path != MEMORY and not folder.is_dir():
            msg = f"{self._path}: its folder {folder} does not exist; create it first"
            raise StoreUnavailableError(msg)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # Looked at before anything is set: a file that is not ours stays as it is.
        schema_number(connection, path=self._path)
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.create_function(
            "contains_text", 3, reading.contains_text, deterministic=True
        )
        migrate(connection, path=self._path)

    def _disconnect(self) -> None:
        self._locks.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def put_jobs(
        self,
        writes: Sequence[JobWrite],
        *,
        now: Instant,  # noqa: ARG002  a file has no clock
    ) -> tuple[Verdict, ...]:
        """Write each job whose stored version is the one that was seen."""
        return await self._write(partial(jobs.put_jobs, writes=writes))

    async def drop_jobs(
        self,
        job_ids: Sequence[str],
        *,
        now: Instant,  # noqa: ARG002  a file has no clock
    ) -> tuple[str, ...]:
        """Forget jobs with their statistics, history and runs nobody has claimed."""
        return await self._write(partial(jobs.drop_jobs, job_ids=job_ids))

    async def take_due(
        self, *, now: Instant, handlers: Sequence[str], limit: int
    ) -> DueBatch:
        """Hand out jobs whose `look_at` has come and whose handler is one of these."""
        names = json.dumps(list(handlers))
        found = await self._read(
            partial(jobs.take_due, now=now, handlers=names, limit=limit)
        )
        if found.quarantined:
            await self._write(partial(jobs.put_aside, quarantined=found.quarantined))
        return found

    async def commit_plans(
        self, plans: Sequence[Plan], *, now: Instant
    ) -> tuple[Committed | Stale, ...]:
        """Apply each plan whose job still has the version it was decided on."""
        return await self._write(partial(jobs.commit_plans, plans=plans, now=now))

    async def read_facts(self, job_ids: Sequence[str]) -> tuple[DueJob, ...]:
        """Read what a plan for these jobs needs, due or not."""
        return await self._read(partial(jobs.read_facts, job_ids=list(job_ids)))

    async def begin(
        self,
        *,
        request_id: str,
        instance: str,
        pools: Sequence[Pool],
        until: Instant,
        lease_us: int,
        now: Instant,
    ) -> Claims:
        """Claim READY runs whose `ready_at` is at or before *until*, oldest first."""
        return await self._write(
            partial(
                runs.begin,
                request_id=request_id,
                instance=instance,
                pools=pools,
                until=until,
                lease_us=lease_us,
                now=now,
            )
        )

    async def renew(
        self,
        instance: Instance,
        renewals: Sequence[Renewal],
        *,
        lease_us: int,
        now: Instant,
    ) -> Renewed:
        """Say that the instance lives, extend its leases, store progress."""

        def step(connection: sqlite3.Connection) -> Renewed:
            return runs.renew(
                connection,
                instance,
                renewals,
                lease_us=lease_us,
                now=now,
                machine=self._locks.take(instance.id),
            )

        return await self._write(step)

    async def leave(self, instance_id: str, *, now: Instant) -> None:  # noqa: ARG002  no clock
        """Take the instance off the list: it ended in good order."""

        def step(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM instances WHERE id = ?", [instance_id])
            self._locks.release(instance_id)

        await self._write(step)

    async def settle(
        self, settlements: Sequence[Settlement], *, now: Instant
    ) -> tuple[Verdict, ...]:
        """Write what became of each run whose state and fence are those seen."""
        return await self._write(partial(runs.settle, settlements=settlements, now=now))

    async def take_lost(self, *, now: Instant, dead_after_us: int, limit: int) -> Lost:
        """Find CLAIMED runs whose lease ended or whose instance is dead."""

        def step(connection: sqlite3.Connection) -> Lost:
            lost = runs.take_lost(
                connection,
                now=now,
                dead_after_us=dead_after_us,
                limit=limit,
                is_lock_free=self._locks.is_free,
            )
            for instance_id in lost.dead:
                self._locks.bury(instance_id)
            return lost

        return await self._write(step)

    async def cancel_runs(
        self,
        run_ids: Sequence[str],
        *,
        reason: str,
        now: Instant,  # noqa: ARG002  a file has no clock
    ) -> tuple[Run, ...]:
        """Ask for CLAIMED runs to be cancelled; others are left as they are."""
        step = partial(runs.cancel_runs, run_ids=run_ids, reason=reason)
        return await self._write(step)

    async def prune(
        self, *, job_ids: Sequence[str], runs_max: int, limit: int, now: Instant
    ) -> int:
        """Forget FINISHED runs past their `keep_until`, then the oldest of each job."""
        return await self._write(
            partial(
                runs.prune, job_ids=job_ids, runs_max=runs_max, limit=limit, now=now
            )
        )

    async def read_jobs(self, query: JobQuery) -> Page[Job]:
        """Read jobs in the order of their ids."""
        return await self._read(partial(reading.read_jobs, query=query))

    async def read_runs(self, query: RunQuery) -> Page[Run]:
        """Read runs, newest occurrence first."""
        return await self._read(partial(reading.read_runs, query=query))

    async def read_stats(self, job_ids: Sequence[str] | None) -> tuple[JobStats, ...]:
        """Read the statistics of these jobs, in order; None for all jobs added up."""
        return await self._read(partial(tallies.read_stats, job_ids=job_ids))

    async def read_instances(self) -> tuple[Instance, ...]:
        """List the instances, the oldest first."""
        return await self._read(reading.read_instances)

    async def summary(self, *, now: Instant, is_deep: bool) -> StoreSummary:
        """Look at the store as a whole; *is_deep* also checks every invariant."""
        return await self._read(
            partial(overview.summary, path=self._path, now=now, is_deep=is_deep)
        )

    async def publish(self, events: Sequence[Event]) -> None:
        """Tell all instances. Kept in a ring of bounded length."""
        await self._write(partial(reading.publish, events=events))

    async def read_events(self, *, after: int | None, limit: int) -> tuple[Event, ...]:
        """Read events with a number above *after*; with None the last one."""
        return await self._read(partial(reading.read_events, after=after, limit=limit))


def _nothing(connection: sqlite3.Connection) -> None:
    """Do nothing; asked for to see that the file can be opened."""
    del connection


def _option(name: str, value: str) -> dict[str, Any]:
    if name == "synchronous":
        return {"synchronous": value.upper()}
    if name == "busy_timeout":
        try:
            return {"busy_timeout": timedelta(seconds=float(value))}
        except (ValueError, OverflowError) as error:
            msg = f"busy_timeout must be a number of seconds, not {value!r}"
            raise UsageError(msg) from error
    msg = f"unknown option {name!r}; known are synchronous and busy_timeout"
    raise UsageError(msg)
