"""What declaring a job does to the one that is stored. Pure.

Declaring the same job again changes nothing: not its phase, not its statistics, not that
it is paused. A change of when it runs counts from now on, never for the past; any other
change leaves the schedule where it stands.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from nvent_sched._model.claims import JobWrite
from nvent_sched._model.jobs import Job, JobDefinition, JobStatus
from nvent_sched._model.values import changed
from nvent_sched._rules.planning import look_at_of
from nvent_sched._rules.recurrence import next_occurrence, starting_mark
from nvent_sched._rules.roles import is_fired
from nvent_sched._rules.schedules import OneTime, schedule_from
from nvent_sched.errors import JobExistsError, UsageError

if TYPE_CHECKING:
    from nvent_sched._model.instants import Instant

TIMING_POLICIES = ("starts_at", "ends_at", "runs_max", "jitter_us", "spread_us")


class IfExists(StrEnum):
    """What to do when a different job has the id."""

    UPDATE = "update"
    KEEP = "keep"
    ERROR = "error"


def register(
    definition: JobDefinition,
    *,
    existing: Job | None,
    if_exists: IfExists,
    now: Instant,
) -> JobWrite | None:
    """Decide what to write.

    Args:
        definition: What is declared now.
        existing: The job that has the id, if any.
        if_exists: What to do if it is a different one.
        now: From when a new or changed schedule counts.

    Returns:
        None if nothing changes.

    Raises:
        JobExistsError: It is a different one, and *if_exists* is `ERROR`.
        UsageError: It is new and would never run.
    """
    if existing is None:
        return JobWrite(job=_created(definition, now=now), seen_version=0)
    if _is_unchanged(definition, existing):
        return None
    match if_exists:
        case IfExists.KEEP:
            return None
        case IfExists.ERROR:
            raise JobExistsError(definition.id)
        case IfExists.UPDATE:
            return JobWrite(
                job=_changed(definition, existing, now=now),
                seen_version=existing.version,
            )
        case _:
            assert_never(if_exists)


def _is_unchanged(definition: JobDefinition, existing: Job) -> bool:
    if definition != existing.definition:
        return False
    # "In an hour" said again, after it was done, means one more time; only code that
    # is merely loaded again (a decorator) does not mean that.
    schedule = schedule_from(definition.schedule)
    is_said_again = isinstance(schedule, OneTime) and schedule.in_ is not None
    return not (
        is_said_again
        and existing.status is JobStatus.FINISHED
        and not definition.declared
    )


def _created(definition: JobDefinition, *, now: Instant) -> Job:
    job = started(
        Job(
            definition=definition,
            version=1,
            anchor=now,
            considered_until=now,
            created_at=now,
            updated_at=now,
        ),
        now=now,
    )
    # Code that outlives its jobs' last time must still start; a call must not be lost.
    if job.status is JobStatus.FINISHED and not definition.declared:
        msg = (
            f"job {definition.id!r} would never run: its schedule has no time after "
            "now within its bounds (starts_at, ends_at, max_runs)"
        )
        raise UsageError(msg)
    return job


def started(job: Job, *, now: Instant) -> Job:
    """Begin the schedule anew at *now*: its phase, its mark and its first occurrence."""
    schedule = schedule_from(job.definition.schedule).anchored(now)
    mark = starting_mark(schedule, now=now)
    next_time = next_occurrence(
        schedule, policies=job.definition.policies, after=mark, planned=job.planned
    )
    begun = changed(
        job,
        anchor=now,
        considered_until=mark,
        next_time=next_time,
        status=JobStatus.ACTIVE,
        note="",
    )
    if next_time is None and not is_fired(job):
        begun = changed(begun, status=JobStatus.FINISHED)
    return changed(begun, look_at=look_at_of(begun, now=now))


def _changed(definition: JobDefinition, existing: Job, *, now: Instant) -> Job:
    edited = changed(
        existing,
        definition=definition,
        version=existing.version + 1,
        updated_at=now,
    )
    if not _is_timing_changed(definition, existing):
        return edited
    begun = started(changed(edited, planned=0), now=now)
    if existing.status is JobStatus.PAUSED:
        begun = changed(begun, status=JobStatus.PAUSED, note=existing.note)
        return changed(begun, look_at=look_at_of(begun, now=now))
    return begun


def _is_timing_changed(definition: JobDefinition, existing: Job) -> bool:
    old = existing.definition
    if definition.schedule != old.schedule:
        return True
    # A call about a finished job asks for more of it; code that was edited does not. Of
    # a moment that had its run there is no more, whoever asks.
    if existing.status is JobStatus.FINISHED and not definition.declared:
        schedule = schedule_from(definition.schedule)
        return not isinstance(schedule, OneTime) or schedule.in_ is not None
    return any(
        getattr(definition.policies, name) != getattr(old.policies, name)
        for name in TIMING_POLICIES
    )
