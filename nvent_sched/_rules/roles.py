"""What a job's role changes about its planning, as tables. Pure.

Triggers and their subscriptions are never over: without a next time they wait to be
fired, and are looked at once a day all the same, as nothing stored is forgotten. A
watchdog that fires is a stall, which must not be planned ahead of its time: a sign of
life may come until the last moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._model.events import EventKind
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.roles import Role
from nvent_sched._rules.watching import alarm_of, alarm_payload

if TYPE_CHECKING:
    from nvent_sched._model.jobs import Job

FIRED: Final = (Role.TRIGGER.value, Role.SUBSCRIPTION.value)
IDLE_LOOK_US: Final = 86_400 * SECOND_US
"""How often what only waits to be fired is looked at."""


def is_fired(job: Job) -> bool:
    """Whether somebody can fire it, so that it is never over by itself."""
    return job.id.startswith(FIRED)


def idle_look(job: Job, *, now: Instant) -> Instant | None:
    """Say when to look at a job that has no next time; None for never."""
    return Instant(now + IDLE_LOOK_US) if is_fired(job) else None


def is_planned_ahead(job: Job) -> bool:
    """Whether a run of it may be planned a little before its time."""
    return not job.id.startswith(Role.WATCHDOG)


def is_over_once_due(job: Job) -> bool:
    """Whether one occurrence is the last, also if its schedule has a later one.

    An alarm that is raised before the deadline, because the instance died, is the alarm.
    """
    return job.id.startswith(Role.WATCHDOG)


def payload_of(job: Job) -> str:
    """Say what an occurrence's run is called with."""
    if job.id.startswith(Role.WATCHDOG):
        return alarm_payload(job)
    return job.definition.payload


def end_of(job: Job) -> tuple[EventKind, str, str, str | None]:
    """Say what is told when a job has no further occurrence.

    Returns:
        What, in which words, of which job and of which run.
    """
    if not job.id.startswith(Role.WATCHDOG):
        return EventKind.JOB_FINISHED, "", job.id, None
    alarm = alarm_of(job)
    told_of = str(alarm.get("job_id", job.id))
    return EventKind.STALLED, str(alarm["reason"]), told_of, alarm.get("run_id")
