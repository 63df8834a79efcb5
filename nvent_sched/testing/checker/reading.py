"""Read a journal from a store: what a history shows of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import PAGE_MAX, JobQuery, RunQuery
from nvent_sched._model.roles import is_wait
from nvent_sched.errors import UsageError
from nvent_sched.testing.checker.journal import (
    OVERDUE_US,
    JobJournal,
    Journal,
    Stretch,
    known_stretch,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats
    from nvent_sched._port import Adapter

PAGE = 1_000
TRIES_MAX = 3
RUNS_MAX = 100_000
"""How many records of a job are read at most; the newest."""


async def journal_of(
    adapter: Adapter,
    *,
    now: Instant,
    job_id: str | None = None,
    late_after_us: int | None = None,
) -> Journal:
    """Read what a store knows of its jobs.

    A job is read before and after its runs, so that what a busy store writes in between
    is not taken for a contradiction.

    Args:
        adapter: Open.
        now: The store's time.
        job_id: Only this job.
        late_after_us: As in `Journal`.
    """
    served = {
        name
        for instance in await adapter.read_instances()
        if instance.started_at < now - OVERDUE_US < instance.heartbeat_at
        for name in instance.handlers
    }
    known = [
        await _known(adapter, job.id, served=served)
        async for job in _jobs(adapter, job_id=job_id)
    ]
    return Journal(
        now=now,
        jobs=tuple(each for each in known if each is not None),
        late_after_us=late_after_us,
    )


async def _jobs(adapter: Adapter, *, job_id: str | None) -> AsyncIterator[Job]:
    after: str | None = None
    ids = None if job_id is None else (job_id,)
    while True:
        page = await adapter.read_jobs(JobQuery(ids=ids, after=after, limit=PAGE))
        for job in page.items:
            yield job
        after = page.next
        if after is None:
            return


async def _known(
    adapter: Adapter, job_id: str, *, served: set[str]
) -> JobJournal | None:
    """Read one job; None if it was removed meanwhile."""
    tries = 0
    while True:
        before = await _moment(adapter, job_id)
        runs = await _runs(adapter, job_id)
        after = await _moment(adapter, job_id)
        if before is None or after is None:
            return None
        job, stats = before[0], after[1]
        if before == after:
            break
        tries += 1
        if tries == TRIES_MAX:
            # It does not stand still: what was planned meanwhile is left for later.
            runs = [r for r in runs if r.scheduled_time <= job.considered_until]
            break
    # A wait that is over owes no run: it is kept for who asks for it again.
    is_over = is_wait(job.id) and job.status is JobStatus.FINISHED
    try:
        stretches: tuple[Stretch, ...] = () if is_over else (known_stretch(job),)
    except UsageError:
        stretches = ()  # the judgement says so
    return JobJournal(
        job=job,
        stretches=stretches,
        runs=tuple(runs),
        stats=stats,
        is_served=job.definition.handler in served,
    )


async def _moment(adapter: Adapter, job_id: str) -> tuple[Job, JobStats] | None:
    page = await adapter.read_jobs(JobQuery(ids=(job_id,), limit=1))
    (stats,) = await adapter.read_stats([job_id])
    return (page.items[0], stats) if page.items else None


async def _runs(adapter: Adapter, job_id: str) -> list[Run]:
    runs: list[Run] = []
    after: str | None = None
    while len(runs) < RUNS_MAX:
        page = await adapter.read_runs(
            RunQuery(job_id=job_id, after=after, limit=PAGE_MAX)
        )
        runs += page.items
        after = page.next
        if after is None:
            break
    return runs
