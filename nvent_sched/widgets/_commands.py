"""What a click does: a verb of the scheduler, and what to say of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.roles import Role
from nvent_sched._views.words import count_words
from nvent_sched.errors import SchedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from nvent_sched._views.status import Row, StatusModel
    from nvent_sched.scheduler import Scheduler

ALL_REASON: Final = "all paused in the dashboard"
REASON: Final = "paused in the dashboard"
AT_ONCE: Final = 20
"""How many jobs are paused or resumed at the same time."""


class Verb(StrEnum):
    """What a view can ask for. A closed set."""

    RUN_NOW = "run_now"
    PAUSE = "pause"
    RESUME = "resume"
    REMOVE = "remove"
    PAUSE_ALL = "pause_all"
    RESUME_ALL = "resume_all"


async def obey(
    scheduler: Scheduler, model: StatusModel, *, verb: str, job_id: str
) -> tuple[bool, str]:
    """Do what was clicked.

    Args:
        scheduler: Of which.
        model: Names the jobs, for a verb about all.
        verb: One of `Verb`.
        job_id: Which job; of no meaning for a verb about all.

    Returns:
        Whether it was done, and what to tell.
    """
    try:
        asked = Verb(verb)
        if asked in {Verb.PAUSE_ALL, Verb.RESUME_ALL}:
            return True, await _change_all(scheduler, model, asked)
        return True, await _change_one(scheduler, asked, job_id=job_id)
    except (SchedError, ValueError) as error:
        return False, str(error)


async def _change_one(scheduler: Scheduler, verb: Verb, *, job_id: str) -> str:
    if verb is Verb.RUN_NOW:
        run = await scheduler.run_now(job_id)
        if run.outcome is None:
            return f"{job_id}: asked to run now"
        return f"{job_id}: {run.outcome}, {run.reason or 'at once'}"
    if verb is Verb.PAUSE:
        is_new = await scheduler.pause(job_id, reason=REASON)
        return f"{job_id}: paused" if is_new else f"{job_id} does not fire anyway"
    if verb is Verb.RESUME:
        is_new = await scheduler.resume(job_id)
        return f"{job_id}: resumed" if is_new else f"{job_id} was not paused"
    was_there = await scheduler.unschedule(job_id)
    return f"{job_id}: removed" if was_there else f"{job_id} was gone already"


async def _change_all(scheduler: Scheduler, model: StatusModel, verb: Verb) -> str:
    if verb is Verb.PAUSE_ALL:
        ids = _ids(model, lambda row: row.status is JobStatus.ACTIVE)
        count = await _each(ids, lambda each: scheduler.pause(each, reason=ALL_REASON))
        return f"{count_words(count, 'job')} paused"
    ids = _ids(model, lambda row: row.note == ALL_REASON)
    count = await _each(ids, scheduler.resume)
    return f"{count_words(count, 'job')} resumed"


def _ids(model: StatusModel, is_meant: Callable[[Row], bool]) -> list[str]:
    """Name the jobs that are meant; what a pattern keeps is left alone."""
    rows = (row for row in model.rows() if row.role is Role.JOB)
    return [row.id for row in rows if is_meant(row)]


async def _each(ids: Iterable[str], change: Callable[[str], Awaitable[bool]]) -> int:
    """Change jobs, some at once; say how many that changed."""
    slots, count = anyio.CapacityLimiter(AT_ONCE), 0
    failures: list[SchedError] = []

    async def one(job_id: str) -> None:
        nonlocal count
        async with slots:
            try:
                count += bool(await change(job_id))
            except SchedError as error:
                failures.append(error)

    async with anyio.create_task_group() as tasks:
        for job_id in ids:
            tasks.start_soon(one, job_id)
    if failures:
        msg = f"{count_words(count, 'job')} done, {len(failures):,} not: {failures[0]}"
        raise UsageError(msg)
    return count
