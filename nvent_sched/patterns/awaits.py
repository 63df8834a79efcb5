"""Wait for a stored time; cancel and list such waits."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, assert_never

import anyio

from nvent_sched._engine.edits import edit_job
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import JobQuery, Page
from nvent_sched._model.roles import Role, id_of, name_in, role_of
from nvent_sched._rules.awaiting import (
    cancel,
    cancel_reason_of,
    is_pending,
    result_of,
    wait_view,
)
from nvent_sched.errors import (
    AwaitCancelledError,
    NotRunningError,
    StoreError,
    UnknownJobError,
)
from nvent_sched.patterns.deadlines import StoredDeadline
from nvent_sched.patterns.records import WaitRecords
from nvent_sched.patterns.waits import End

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._engine.core import Core
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.snapshots import AwaitResult, AwaitSnapshot
    from nvent_sched.patterns.waits import Wait


class Awaits:
    """The durable waits of one instance.

    Args:
        core: The instance.

    Attributes:
        records: What the store knows of them.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self.records: WaitRecords = WaitRecords(core)

    async def wait(self, key: str, *, at: Instant, verb: str) -> AwaitResult:
        """Wait until the stored time of a key; *at* is stored if there is none.

        Raises:
            AwaitCancelledError: Somebody cancelled it, before or meanwhile.
            NotRunningError: The scheduler stopped; the stored time stays.
            StoreError: The store could not take the time.
        """
        core, records = self._core, self.records
        job, is_first = await records.keep(id_of(Role.AWAIT, key), at=at)
        if (reason := cancel_reason_of(job)) is not None:
            raise AwaitCancelledError(key=key, reason=reason)
        if is_pending(job, now=core.time.now()):
            await self._wait_for(job, verb=verb)
        else:
            records.note_over(job)
        return result_of(job, now=core.time.now(), is_first=is_first)

    async def _wait_for(self, job: Job, *, verb: str) -> None:
        waits = self.records.waits
        if waits.is_closed:
            raise NotRunningError(verb)
        ended = anyio.Event()
        wait = self.records.join(job, ended.set)
        try:
            await ended.wait()
        finally:
            waits.leave(wait, ended.set)
        _heed(wait, verb=verb)

    async def cancel(self, key: str, *, reason: str) -> bool:
        """Cancel a wait; say whether there was anything to cancel."""
        core, job_id = self._core, id_of(Role.AWAIT, key)
        now, kept_us = core.time.now(), core.options.retention.success_us
        try:
            cancelled = await edit_job(
                core,
                job_id,
                lambda job: cancel(job, reason=reason, now=now, kept_us=kept_us),
            )
        except UnknownJobError:
            return False
        if cancelled is None:
            return False
        self.records.waits.end(job_id, End.CANCELLED, reason=reason)
        return True

    async def pending(self, *, after: str | None, limit: int) -> Page[AwaitSnapshot]:
        """List waits whose time has not come, in the order of their keys."""
        with suppress(StoreError):
            await self.records.flush()
        query = JobQuery(
            status=JobStatus.ACTIVE, after=f"{Role.AWAIT}{after or ''}", limit=limit
        )
        page = await self._core.adapter.read_jobs(query)
        now = self._core.time.now()
        ours = [
            job
            for job in page.items
            if role_of(job.id) is Role.AWAIT and is_pending(job, now=now)
        ]
        is_more = page.next is not None and role_of(page.next) is Role.AWAIT
        return Page(
            items=tuple(wait_view(job, waiters=self._waiters(job)) for job in ours),
            next=name_in(page.next) if is_more and page.next is not None else None,
        )

    def deadline(self, key: str, *, at: Callable[[Instant], Instant]) -> StoredDeadline:
        """Name a moment that work must be finished by; nothing is stored yet."""
        return StoredDeadline(self._core, self.records, key, at=at)

    def _waiters(self, job: Job) -> int:
        wait = self.records.waits.get(job.id)
        return 0 if wait is None else len(wait.waiters)


def _heed(wait: Wait, *, verb: str) -> None:
    """Go on if the time has come; otherwise say what ended the wait."""
    end = wait.end
    assert end is not None
    match end:
        case End.DUE:
            return
        case End.CANCELLED:
            raise AwaitCancelledError(key=name_in(wait.job.id), reason=wait.reason)
        case End.STOPPED:
            raise NotRunningError(verb)
        case _:
            assert_never(end)
