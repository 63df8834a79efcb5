"""What users do to jobs, as steps on the store. No policy: the rules decide."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._engine.edits import edit_job
from nvent_sched._model.claims import JobWrite, Stored
from nvent_sched._model.events import EventKind
from nvent_sched._model.queries import JobQuery, Page
from nvent_sched._model.roles import is_wait, past_waits
from nvent_sched._model.schedules import Schedule
from nvent_sched._rules.declaring import labels_from, policies_from
from nvent_sched._rules.editing import pause, resume
from nvent_sched._rules.registration import IfExists, register
from nvent_sched.errors import ConflictError, UnknownJobError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvent_sched._engine.core import Core
    from nvent_sched._model.jobs import Job, JobDefinition

PUT_BATCH: Final = 1_000
TRIES_MAX: Final = 50


async def put_definitions(
    core: Core, definitions: Sequence[JobDefinition], *, if_exists: IfExists
) -> None:
    """Store jobs; the same definition again changes nothing.

    Those that have one id count in their order.

    Raises:
        JobExistsError: A different job has an id, and that is not allowed; the jobs
            of earlier batches (1,000 each) are stored.
    """
    if if_exists is IfExists.UPDATE:
        # The last of those with one id, or in a batch they would undo one another.
        definitions = [*{each.id: each for each in definitions}.values()]
    for start in range(0, len(definitions), PUT_BATCH):
        batch = definitions[start : start + PUT_BATCH]
        await _put_batch(core, batch, if_exists=if_exists)
    core.planner_signal.set()


async def put_definition(
    core: Core, definition: JobDefinition, *, if_exists: IfExists
) -> Job:
    """Store one job; give it as it is stored now.

    Raises:
        JobExistsError: A different job has its id, and that is not allowed.
    """
    stored = await _put_batch(core, [definition], if_exists=if_exists)
    core.planner_signal.set()
    return stored[definition.id]


async def _put_batch(
    core: Core, definitions: Sequence[JobDefinition], *, if_exists: IfExists
) -> dict[str, Job]:
    """Store jobs; give each as it is stored now, also if that changed nothing."""
    stored: dict[str, Job] = {}
    # Most are new, so they are written as such; the others come back as stale.
    existing: dict[str, Job] = {}
    pending = list(definitions)
    for _ in range(TRIES_MAX):
        writes = _writes(core, pending, existing=existing, if_exists=if_exists)
        verdicts = await core.adapter.put_jobs(writes, now=core.time.now())
        stored |= existing
        stale: set[str] = set()
        for write, verdict in zip(writes, verdicts, strict=True):
            if isinstance(verdict, Stored):
                stored[write.job.id] = write.job
                _after_put(core, write)
            else:
                stale.add(write.job.id)
        pending = [each for each in pending if each.id in stale]
        if not pending:
            return stored
        existing = await _existing(core, tuple(stale))
    raise ConflictError(pending[0].id)


def _writes(
    core: Core,
    definitions: Sequence[JobDefinition],
    *,
    existing: dict[str, Job],
    if_exists: IfExists,
) -> list[JobWrite]:
    now = core.time.now()
    decided = (
        register(
            definition,
            existing=existing.get(definition.id),
            if_exists=if_exists,
            now=now,
        )
        for definition in definitions
    )
    return [write for write in decided if write is not None]


async def _existing(core: Core, ids: tuple[str, ...]) -> dict[str, Job]:
    page = await core.adapter.read_jobs(JobQuery(ids=ids, limit=len(ids)))
    return {job.id: job for job in page.items}


def _after_put(core: Core, write: JobWrite) -> None:
    is_new = write.seen_version == 0
    kind = EventKind.JOB_ADDED if is_new else EventKind.JOB_CHANGED
    core.tell(kind, job_id=write.job.id)
    if not is_new:
        core.recall(write.job.id, reason="the job was changed", edited=write.job)


async def drop_job(core: Core, job_id: str) -> bool:
    """Forget a job and what of it has not begun; say whether there was one."""
    dropped = await core.adapter.drop_jobs([job_id], now=core.time.now())
    core.recall(job_id, reason="the job was removed")
    if dropped:
        core.tell(EventKind.JOB_REMOVED, job_id=job_id)
    return bool(dropped)


async def pause_job(core: Core, job_id: str, *, reason: str) -> bool:
    """Pause a job; say whether that changed anything."""
    now = core.time.now()
    paused = await edit_job(
        core, job_id, lambda job: pause(job, reason=reason, now=now)
    )
    if paused is None:
        return False
    core.recall(job_id, reason="the job was paused")
    core.tell(EventKind.JOB_PAUSED, job_id=job_id, detail=reason)
    return True


async def resume_job(core: Core, job_id: str, *, is_catch_up: bool) -> bool:
    """Resume a job; say whether that changed anything."""
    now = core.time.now()
    resumed = await edit_job(
        core, job_id, lambda job: resume(job, is_catch_up=is_catch_up, now=now)
    )
    if resumed is None:
        return False
    core.tell(EventKind.JOB_RESUMED, job_id=job_id)
    return True


async def reschedule_job(
    core: Core, job_id: str, *, schedule: Schedule, options: Mapping[str, Any]
) -> None:
    """Change when a job runs, from now on."""
    if not isinstance(schedule, Schedule):
        msg = (
            f"when? expected Cron(...), Interval(...) or OneTime(...), not {schedule!r}"
        )
        raise UsageError(msg)
    now = core.time.now()

    def change(job: Job) -> Job | None:
        definition = replace(
            job.definition,
            schedule=schedule.spec(),
            policies=policies_from(options, base=job.definition.policies),
            **labels_from(options),
        )
        write = register(definition, existing=job, if_exists=IfExists.UPDATE, now=now)
        return None if write is None else write.job

    if (edited := await edit_job(core, job_id, change)) is not None:
        core.recall(job_id, reason="the job was rescheduled", edited=edited)
        core.tell(EventKind.JOB_CHANGED, job_id=job_id)


async def read_job(core: Core, job_id: str) -> Job:
    """Read one job.

    Raises:
        UnknownJobError: There is none.
    """
    page = await core.adapter.read_jobs(JobQuery(ids=(job_id,), limit=1))
    if not page.items:
        raise UnknownJobError(job_id)
    return page.items[0]


async def read_page(core: Core, query: JobQuery) -> Page[Job]:
    """Read a page of jobs without those that stand for waits; `awaits` lists them."""
    found: list[Job] = []
    after = query.after
    while True:
        left = query.limit - len(found)
        page = await core.adapter.read_jobs(replace(query, after=after, limit=left))
        found += [job for job in page.items if not is_wait(job.id)]
        if page.next is None:
            return Page(items=tuple(found))
        if len(found) == query.limit:
            return Page(items=tuple(found), next=found[-1].id)
        after = past_waits(page.next)
