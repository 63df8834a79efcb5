"""Compare-and-set edits of a job: read, decide, write, and again if it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._logs import logger_of
from nvent_sched._model.claims import JobWrite, Stored
from nvent_sched._model.events import EventKind
from nvent_sched._model.queries import PAGE_MAX, RunQuery
from nvent_sched._model.runs import FAILURES
from nvent_sched._rules.editing import has_failed_since, pause, should_pause
from nvent_sched.errors import ConflictError, UnknownJobError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._engine.core import Core
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.policies import Policies
    from nvent_sched._model.runs import Run

log = logger_of(__name__)
TRIES_MAX: Final = 50


async def edit_job(
    core: Core, job_id: str, change: Callable[[Job], Job | None]
) -> Job | None:
    """Apply a pure change to a job.

    Args:
        core: The instance.
        job_id: Which job.
        change: From the job as stored to the job as it shall be; None for no change.

    Returns:
        The job as written; None if *change* wanted none.

    Raises:
        UnknownJobError: There is no such job.
        ConflictError: It changed each time, 50 times over.
    """
    for _ in range(TRIES_MAX):
        facts = await core.adapter.read_facts([job_id])
        if not facts:
            raise UnknownJobError(job_id)
        changed = change(facts[0].job)
        if changed is None:
            return None
        write = JobWrite(job=changed, seen_version=facts[0].job.version)
        (verdict,) = await core.adapter.put_jobs([write], now=core.time.now())
        if isinstance(verdict, Stored):
            core.planner_signal.set()
            return changed
    raise ConflictError(job_id)


async def pause_if_failing(core: Core, run: Run, *, policies: Policies) -> None:
    """Pause a job that failed as often in a row as it may."""
    (stats,) = await core.adapter.read_stats([run.job_id])
    assert run.outcome is not None
    if not should_pause(
        policies, outcome=run.outcome, failure_streak=stats.failure_streak
    ):
        return
    limit = policies.pause_after_failures
    assert limit is not None, "it was reached"
    known = min(limit, PAGE_MAX)
    query = RunQuery(job_id=run.job_id, outcomes=tuple(FAILURES), limit=known)
    failures = (await core.adapter.read_runs(query)).items
    reason = f"{stats.failure_streak} failures in a row, the last: {stats.last_error}"

    def pause_failing(job: Job) -> Job | None:
        if not has_failed_since(job, failures, limit=known):
            return None
        return pause(job, reason=reason[:500], now=core.time.now())

    try:
        paused = await edit_job(core, run.job_id, pause_failing)
    except UnknownJobError:
        return
    if paused is not None:
        core.recall(run.job_id, reason="the job was paused")
        core.tell(EventKind.JOB_PAUSED, job_id=run.job_id, detail=reason[:200])
        log.warning("job paused after failures", extra={"job_id": run.job_id})
