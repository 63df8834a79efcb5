"""The verbs over the tables: each takes the lock, and awaits nothing while it has it.

Engines on several loops may share an adapter: it is never really closed. A verb is a
checkpoint, and leaves nothing half-done if cancelled.
"""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Final

from anyio.lowlevel import checkpoint

from nvent_sched._model.claims import STALE, STORED, Claims, Renewed
from nvent_sched._model.instants import Instant
from nvent_sched._model.runs import RunState
from nvent_sched._port import Traits
from nvent_sched.adapters.memory.committing import committed
from nvent_sched.adapters.memory.finding import due_batch, lost_runs, prunable
from nvent_sched.adapters.memory.locking import LockVerbs
from nvent_sched.adapters.memory.reading import job_page, run_page, stats_of, summary_of
from nvent_sched.adapters.memory.records import HELD, READY, REQUEST, ids_of
from nvent_sched.adapters.memory.tables import Tables

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from nvent_sched._model.claims import (
        Committed,
        DueBatch,
        DueJob,
        JobWrite,
        Lost,
        Plan,
        Pool,
        Renewal,
        Settled,
        Settlement,
        Stale,
        Verdict,
    )
    from nvent_sched._model.events import Event
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.queries import JobQuery, Page, RunQuery, StoreSummary
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats

EVENTS_KEPT_MAX: Final = 4_096
TRAITS: Final = Traits(
    name="memory",
    is_shared=False,
    is_durable=False,
    has_own_clock=False,
    hint_delay_us_max=3_600_000_000,
)


class MemoryAdapter(LockVerbs):
    """A store that lives as long as this object. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tables = Tables()
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT_MAX)
        self._events_told = 0
        self._users = 0
        self._hints: list[Callable[[], None]] = []

    @property
    def traits(self) -> Traits:
        """What it can do."""
        return TRAITS

    @property
    def url(self) -> str:
        """Where it is: in this process."""
        return "memory:"

    @asynccontextmanager
    async def _step(self) -> AsyncIterator[Tables]:
        await checkpoint()
        with self._lock:
            yield self._tables

    def _tell(self, *, is_changed: bool) -> None:
        for hint in tuple(self._hints) if is_changed else ():
            hint()

    def on_hint(self, hint: Callable[[], None]) -> None:
        """Call *hint* after every write, in the thread that wrote, until all closed."""
        self._hints.append(hint)

    async def open(self, *, now: Instant) -> None:  # noqa: ARG002  no clock
        """Count one more user; there is nothing to migrate."""
        async with self._step():
            self._users += 1

    async def close(self) -> None:
        """Count one user less; what is stored stays for the next one."""
        async with self._step():
            self._users = max(0, self._users - 1)
            if self._users == 0:
                self._hints.clear()

    async def put_jobs(
        self,
        writes: Sequence[JobWrite],
        *,
        now: Instant,  # noqa: ARG002  no clock
    ) -> tuple[Verdict, ...]:
        """Write each job whose stored version is the one that was seen."""
        async with self._step() as tables:
            verdicts = tuple(tables.write(write) for write in writes)
        self._tell(is_changed=STORED in verdicts)
        return verdicts

    async def drop_jobs(
        self,
        job_ids: Sequence[str],
        *,
        now: Instant,  # noqa: ARG002  no clock
    ) -> tuple[str, ...]:
        """Forget jobs with their statistics, history and runs nobody has claimed."""
        async with self._step() as tables:
            existed = tuple(job_id for job_id in job_ids if tables.drop(job_id))
        self._tell(is_changed=bool(existed))
        return existed

    async def take_due(
        self, *, now: Instant, handlers: Sequence[str], limit: int
    ) -> DueBatch:
        """Hand out jobs whose `look_at` has come and whose handler is one of these."""
        async with self._step() as tables:
            return due_batch(tables, now=now, handlers=handlers, limit=limit)

    async def commit_plans(
        self, plans: Sequence[Plan], *, now: Instant, is_whole: bool = False
    ) -> tuple[Committed | Stale, ...]:
        """Apply each plan whose job still has the version it was decided on."""
        async with self._step() as tables:
            verdicts = committed(tables, plans, now=now, is_whole=is_whole)
        self._tell(is_changed=any(verdict != STALE for verdict in verdicts))
        return verdicts

    async def read_facts(self, job_ids: Sequence[str]) -> tuple[DueJob, ...]:
        """Read what a plan for these jobs needs, due or not."""
        async with self._step() as tables:
            return tuple(tables.facts(job) for job in tables.readable(job_ids))

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
        async with self._step() as tables:
            if not tables.order[REQUEST, request_id]:
                tables.claim(
                    pools,
                    request=request_id,
                    instance=instance,
                    until=until,
                    lease_until=Instant(now + lease_us),
                )
            claimed = ids_of(tables.order[REQUEST, request_id])
            handlers = [name for pool in pools for name in pool.handlers]
            return Claims(
                now=now,
                runs=tuple(tables.runs[run_id].run() for run_id in claimed),
                next_ready_at=tables.order.first_at(READY, handlers),
            )

    async def confirm(self, claims: Sequence[Run]) -> frozenset[str]:
        """Say that all are safe: there is no replica."""
        return frozenset(run.id for run in claims)

    async def renew(
        self,
        instance: Instance,
        renewals: Sequence[Renewal],
        *,
        lease_us: int,
        now: Instant,
    ) -> Renewed:
        """Say that the instance lives, extend its leases, store progress.

        Gives no hint: a hint may well make an engine call this verb.
        """
        async with self._step() as tables:
            tables.instances[instance.id] = replace(instance, heartbeat_at=now)
            lease_until = Instant(now + lease_us)
            stale = frozenset(
                renewal.run_id
                for renewal in renewals
                if not tables.renew(renewal, lease_until=lease_until)
            )
            held = ids_of(tables.order[HELD, instance.id])
            reasons = ((each, tables.runs[each].bare.cancel_reason) for each in held)
            cancelled = {each: why for each, why in reasons if why is not None}
            return Renewed(now=now, stale=stale, cancelled=cancelled)

    async def leave(self, instance_id: str, *, now: Instant) -> None:  # noqa: ARG002  no clock
        """Take the instance off the list: it ended in good order."""
        async with self._step() as tables:
            left = tables.instances.pop(instance_id, None)
        self._tell(is_changed=left is not None)

    async def settle(
        self, settlements: Sequence[Settlement], *, now: Instant
    ) -> tuple[Settled, ...]:
        """Write what became of each run whose state and fence are those seen."""
        async with self._step() as tables:
            verdicts = tables.settle(settlements, now=now)
        self._tell(is_changed=STORED in verdicts)
        return verdicts

    async def take_lost(self, *, now: Instant, dead_after_us: int, limit: int) -> Lost:
        """Find CLAIMED runs whose lease ended or whose instance is dead."""
        async with self._step() as tables:
            return lost_runs(tables, now=now, dead_after_us=dead_after_us, limit=limit)

    async def cancel_runs(
        self,
        run_ids: Sequence[str],
        *,
        reason: str,
        now: Instant,  # noqa: ARG002  no clock
    ) -> tuple[Run, ...]:
        """Ask for CLAIMED runs to be cancelled; the first reason given stays."""
        async with self._step() as tables:
            known = [run_id for run_id in run_ids if run_id in tables.runs]
            found = tuple(tables.runs[run_id].run() for run_id in known)
            claimed = [run for run in found if run.state is RunState.CLAIMED]
            for run in claimed:
                tables.mark_cancelled(run, reason=reason)
        self._tell(is_changed=bool(claimed))
        return found

    async def prune(
        self, *, job_ids: Sequence[str], runs_max: int, limit: int, now: Instant
    ) -> int:
        """Forget FINISHED runs past their `keep_until`, then the oldest of each job."""
        async with self._step() as tables:
            found = prunable(tables, job_ids=job_ids, runs_max=runs_max, now=now)
            forgotten = found[:limit]
            for run_id in forgotten:
                tables.forget_run(run_id)
            return len(forgotten)

    async def read_jobs(self, query: JobQuery) -> Page[Job]:
        """Read jobs in the order of their ids."""
        async with self._step() as tables:
            return job_page(tables, query)

    async def read_runs(self, query: RunQuery) -> Page[Run]:
        """Read runs, newest occurrence first."""
        async with self._step() as tables:
            return run_page(tables, query)

    async def read_stats(self, job_ids: Sequence[str] | None) -> tuple[JobStats, ...]:
        """Read the statistics of these jobs, in order; None for all jobs added up."""
        async with self._step() as tables:
            return stats_of(tables, job_ids)

    async def read_instances(self) -> tuple[Instance, ...]:
        """List the instances, the oldest first."""
        async with self._step() as tables:
            return tables.listed_instances()

    async def summary(self, *, now: Instant, is_deep: bool) -> StoreSummary:
        """Look at the store as a whole; *is_deep* also checks every invariant."""
        async with self._step() as tables:
            return summary_of(tables, now=now, is_deep=is_deep)

    async def publish(self, events: Sequence[Event]) -> None:
        """Tell all instances. Kept in a ring of bounded length."""
        async with self._step():
            for seq, event in enumerate(events, self._events_told + 1):
                self._events.append(replace(event, seq=seq))
            self._events_told += len(events)
        self._tell(is_changed=bool(events))

    async def read_events(self, *, after: int | None, limit: int) -> tuple[Event, ...]:
        """Read events with a number above *after*; with None the last one."""
        async with self._step():
            if after is None:
                return tuple(self._events)[-1:]
            newer = (event for event in self._events if event.seq > after)
            return tuple(islice(newer, limit))
