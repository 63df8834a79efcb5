"""Fire, pause, resume and retire a trigger, as steps on the job that keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar
from uuid import uuid4

from nvent_sched._engine.edits import edit_job
from nvent_sched._engine.runverbs import find_run, read_run
from nvent_sched._model.events import EventKind
from nvent_sched._model.jobs import JobStatus, checked_name
from nvent_sched._model.roles import Role, id_of, name_in
from nvent_sched._model.runs import Origin
from nvent_sched._rules.declaring import payload_from
from nvent_sched._rules.delivering import STATES, retire
from nvent_sched._rules.planning import Asked
from nvent_sched.errors import (
    TriggerClosedError,
    UnknownJobError,
    UnknownTriggerError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from nvent_sched._engine.core import Core
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.runs import Run
    from nvent_sched.patterns.triggers import Triggers

T = TypeVar("T")
FIRE_BYTES_MAX: Final = 32 * 1024
"""What a fire may carry, as JSON: every subscriber's run gets a copy of it."""


async def fire(
    core: Core, triggers: Triggers, name: str, *, payload: object, key: str | None
) -> Run:
    """Store a fire of a trigger, to be handed on; with a known key nothing new.

    Raises:
        UnknownTriggerError: There is no such trigger.
        TriggerClosedError: It is paused or retired.
        UsageError: The key or the payload is not allowed.
        StoreError: It could not be stored.
    """
    text = payload_from([payload], None)
    if (length := len(text.encode())) > FIRE_BYTES_MAX:
        msg = (
            f"what a fire carries may take {FIRE_BYTES_MAX} bytes as JSON, not "
            f"{length}: store it elsewhere and pass a reference"
        )
        raise UsageError(msg)
    job_id = id_of(Role.TRIGGER, name)
    own = uuid4().hex if key is None else checked_name(key, what="an idempotency key")
    run_id = f"{job_id}!{own}"
    if key is not None and (known := await find_run(core, run_id)) is not None:
        return known
    await triggers.put_declared()
    asked = Asked(
        run_id=run_id,
        origin=Origin.MANUAL,
        scheduled_time=triggers.next_instant(),
        payload=text,
    )
    await of_trigger(name, triggers.fire(asked, job_id=job_id, allow=_refuse_closed))
    return await read_run(core, run_id)


def _refuse_closed(job: Job) -> None:
    if job.status is not JobStatus.ACTIVE:
        name, state = name_in(job.id), STATES[job.status]
        raise TriggerClosedError(name, state=state, note=job.note)


async def retire_trigger(core: Core, name: str) -> bool:
    """Take a trigger out of service for good; say whether that changed anything.

    Raises:
        UnknownTriggerError: There is no such trigger.
    """
    job_id, now = id_of(Role.TRIGGER, name), core.time.now()
    retiring = edit_job(core, job_id, lambda job: retire(job, now=now))
    if await of_trigger(name, retiring) is None:
        return False
    core.recall(job_id, reason="the trigger was retired")
    core.tell(EventKind.JOB_FINISHED, job_id=job_id, detail="retired")
    return True


async def of_trigger(name: str, step: Awaitable[T]) -> T:
    """Await a step on a trigger's job, and name the trigger if there is none."""
    try:
        return await step
    except UnknownJobError:
        raise UnknownTriggerError(name) from None
