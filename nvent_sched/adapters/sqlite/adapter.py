"""The adapter: each verb is one step, handed to the owner of the connection."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nvent_sched._model.claims import STORED
from nvent_sched._model.runs import RunState
from nvent_sched.adapters.sqlite import (
    claims,
    due,
    jobs,
    locking,
    overview,
    reading,
    runs,
    tallies,
)
from nvent_sched.adapters.sqlite.file import SqliteFile
from nvent_sched.adapters.sqlite.plans import commit_plans

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

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
        Settled,
        Settlement,
        Stale,
        Verdict,
    )
    from nvent_sched._model.events import Event
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.locks import LockAnswers, LockAsk, LockRecord
    from nvent_sched._model.queries import JobQuery, Page, RunQuery, StoreSummary
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats


class SqliteAdapter(SqliteFile):
    """A store in a SQLite file, or in memory.

    Args:
        path: The file; ":memory:" for none. `~` stands for the home folder.
        synchronous: "FULL" survives a power cut; "NORMAL" may lose the last answers
            in one, "OFF" the file.
        busy_timeout: How long to wait for another process's transaction.
        mode: "rwc" creates the file if it is missing, "rw" does not, "ro" only reads.

    Raises:
        UsageError: A setting is not allowed.
    """

    async def put_jobs(
        self,
        writes: Sequence[JobWrite],
        *,
        now: Instant,  # noqa: ARG002  a file has no clock
    ) -> tuple[Verdict, ...]:
        """Write each job whose stored version is the one that was seen."""
        verdicts = await self._write(partial(jobs.put_jobs, writes=writes))
        if STORED in verdicts:
            self._locks.ring()
        return verdicts

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
        found = await self._read(
            partial(due.take_due, now=now, handlers=handlers, limit=limit)
        )
        if found.quarantined:
            await self._write(partial(due.put_aside, quarantined=found.quarantined))
        return found

    async def commit_plans(
        self, plans: Sequence[Plan], *, now: Instant, is_whole: bool = False
    ) -> tuple[Committed | Stale, ...]:
        """Apply each plan whose job still has the version it was decided on."""
        verdicts = await self._write(
            partial(commit_plans, plans=plans, now=now, is_whole=is_whole)
        )
        if any(plan.promote or any(map(_is_ready, plan.runs)) for plan in plans):
            self._locks.ring()
        return verdicts

    async def read_facts(self, job_ids: Sequence[str]) -> tuple[DueJob, ...]:
        """Read what a plan for these jobs needs, due or not."""
        return await self._read(partial(due.read_facts, job_ids=list(job_ids)))

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
                claims.begin,
                request_id=request_id,
                instance=instance,
                pools=pools,
                until=until,
                lease_us=lease_us,
                now=now,
            )
        )

    async def confirm(self, claims: Sequence[Run]) -> frozenset[str]:
        """Say that all are safe: there is no replica to wait for."""
        return frozenset(run.id for run in claims)

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
            return claims.renew(
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
    ) -> tuple[Settled, ...]:
        """Write what became of each run whose state and fence are those seen."""
        settled = await self._write(
            partial(runs.settle, settlements=settlements, now=now)
        )
        if any(_is_ready(each.run) for each in settlements):
            self._locks.ring()
        return settled

    async def take_lost(self, *, now: Instant, dead_after_us: int, limit: int) -> Lost:
        """Find CLAIMED runs whose lease ended or whose instance is dead."""

        def step(connection: sqlite3.Connection) -> Lost:
            lost = claims.take_lost(
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

    async def acquire_locks(
        self, asks: Sequence[LockAsk], *, now: Instant
    ) -> LockAnswers:
        """Give each lock that is free to whoever asks first, and queue the others."""
        return await self._write(partial(locking.acquire, asks=asks, now=now))

    async def renew_locks(
        self, asks: Sequence[LockAsk], *, now: Instant
    ) -> tuple[Verdict, ...]:
        """Extend each hold from now on whose ticket still has the lock."""
        return await self._write(partial(locking.renew, asks=asks, now=now))

    async def release_locks(
        self,
        asks: Sequence[LockAsk],
        *,
        now: Instant,  # noqa: ARG002  a file has no clock
    ) -> None:
        """Give back locks that these tickets have, and places that they take."""
        await self._write(partial(locking.release, asks=asks))

    async def read_locks(self, *, now: Instant, limit: int) -> tuple[LockRecord, ...]:
        """List locks that somebody has, those that end first before others."""
        return await self._read(partial(locking.read, now=now, limit=limit))

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
        await self._tell(partial(reading.publish, events=events))

    async def read_events(self, *, after: int | None, limit: int) -> tuple[Event, ...]:
        """Read events with a number above *after*; with None the last one."""
        return await self._read(partial(reading.read_events, after=after, limit=limit))


def _is_ready(run: Run) -> bool:
    return run.state is RunState.READY
