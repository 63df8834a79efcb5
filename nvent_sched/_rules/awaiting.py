"""Waits that outlive their process: a one-time job that nobody needs to run. Pure.

A wait is kept as a job with the absolute time at which it ends. Whoever waits finishes it
when that time has come, with one write. Only one that nobody waits for any more is looked
at by a planner, a little later, and has a run that does nothing: so it is recorded and
forgotten as every one-time job is.

A finished wait is kept for a while: a program that is started again and asks for it must
not wait anew. A cancelled one as well, with the reason as its note.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from nvent_sched._model.claims import JobWrite
from nvent_sched._model.instants import (
    INSTANT_MAX,
    MICROSECOND,
    SECOND_US,
    SPAN_MAX,
    Instant,
    instant_from,
    moment_from,
    span_us,
)
from nvent_sched._model.jobs import Job, JobDefinition, JobStatus
from nvent_sched._model.roles import BUILT_IN, name_in
from nvent_sched._model.schedules import Schedule
from nvent_sched._model.snapshots import AwaitResult, AwaitSnapshot
from nvent_sched._model.spans import us_words
from nvent_sched._model.values import changed
from nvent_sched._rules.schedules import OneTime, added_us, schedule_from
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

AWAIT_HANDLER: Final = f"{BUILT_IN}await"
LINGER_US: Final = 2 * SECOND_US
"""How much later than its time a planner looks at a wait that nobody has finished."""

CANCELLED: Final = "cancelled"
_BEFORE_ALL: Final = Instant(-(10**18))


def length_from(
    length: timedelta | None, units: Mapping[str, float | None], *, name: str
) -> int:
    """Add up a length of time as users write it, in microseconds.

    Args:
        length: All of it, or None.
        units: Parts of it, by the name of their unit.
        name: What it is the length of, for the message.

    Returns:
        At least 0, at most 100 years.

    Raises:
        UsageError: Nothing was said, or it is negative, too long or no length.
    """
    said = {unit: count for unit, count in units.items() if count is not None}
    if length is None and not said:
        msg = f"how long? {name} needs a length: a timedelta, or hours=1, minutes=30"
        raise UsageError(msg)
    given_us = 0 if length is None else span_us(length, name="length")
    length_us = added_us(given_us, said)
    if length_us < 0:
        msg = f"{name} cannot take {timedelta(microseconds=length_us)}: say 0 or more"
        raise UsageError(msg)
    if length_us > SPAN_MAX // MICROSECOND:
        msg = f"{name} can take at most 100 years, not {us_words(length_us)}"
        raise UsageError(msg)
    return length_us


def moment_after(length_us: int, *, now: Instant) -> Instant:
    """Say when a length of time from now is over; never after the year 9999."""
    return Instant(min(now + length_us, INSTANT_MAX))


def next_of(schedule: object, *, now: Instant) -> Instant:
    """Say the first time of a schedule after now; an interval counts from now.

    Raises:
        UsageError: It is no schedule, or has no time after now.
    """
    if not isinstance(schedule, Schedule):
        msg = (
            f"when? expected Cron(...), Interval(...) or OneTime(...), not {schedule!r}"
        )
        raise UsageError(msg)
    found = schedule.anchored(now).next_instant(now)
    if found is None:
        msg = (
            f"there is no time after now to wait for: {schedule.describe()}; a moment "
            "that may be past is what sleep_until is for"
        )
        raise UsageError(msg)
    return found


def moment_of(value: object, *, name: str) -> Instant:
    """Read the moment of a wait; it may be past.

    Raises:
        UsageError: It is not an aware datetime.
    """
    try:
        return instant_from(value)  # type: ignore[arg-type]  # checked there
    except UsageError as error:
        msg = f"{name}: {error}"
        raise UsageError(msg) from None


def new_wait(
    job_id: str, *, at: Instant, stored_by: str, now: Instant, kept_us: int
) -> JobWrite:
    """Decide what to store for a wait that nobody has stored.

    Args:
        job_id: With the prefix of its role.
        at: When it ends; one that is past is stored as finished.
        stored_by: The instance that stores it.
        now: The store's time.
        kept_us: For how long it is kept once it is finished.
    """
    job = Job(
        definition=JobDefinition(
            id=job_id,
            name=name_in(job_id),
            handler=AWAIT_HANDLER,
            schedule=OneTime(moment_from(at)).spec(),
            metadata=json.dumps({"stored_by": stored_by}),
        ),
        version=1,
        anchor=now,
        considered_until=Instant(min(now, at - 1)),
        next_time=at,
        look_at=Instant(at + LINGER_US),
        created_at=now,
        updated_at=now,
    )
    if at <= now:
        job = changed(_ended(job, now=now, kept_us=kept_us), version=1)
    return JobWrite(job=job, seen_version=0)


def end_of(job: Job) -> Instant:
    """Say when a wait ends, or ended."""
    at = schedule_from(job.definition.schedule).next_instant(_BEFORE_ALL)
    assert at is not None
    return at


def is_pending(job: Job, *, now: Instant) -> bool:
    """Whether there is something left to wait for."""
    return job.status is not JobStatus.FINISHED and end_of(job) > now


def finish(job: Job, *, now: Instant, kept_us: int) -> JobWrite:
    """Decide what to store when the time of a wait has come."""
    return JobWrite(job=_ended(job, now=now, kept_us=kept_us), seen_version=job.version)


def cancel(job: Job, *, reason: str, now: Instant, kept_us: int) -> Job | None:
    """Decide what to store when a wait is cancelled; None if it is over."""
    if not is_pending(job, now=now):
        return None
    note = f"{CANCELLED}: {reason}" if reason else CANCELLED
    return changed(_ended(job, now=now, kept_us=kept_us), note=note[:500])


def cancel_reason_of(job: Job) -> str | None:
    """Say why a wait was cancelled, in words that may be empty; None if it was not."""
    if job.status is not JobStatus.FINISHED or not job.note.startswith(CANCELLED):
        return None
    return job.note.removeprefix(CANCELLED).removeprefix(": ")


def _ended(job: Job, *, now: Instant, kept_us: int) -> Job:
    return changed(
        job,
        version=job.version + 1,
        status=JobStatus.FINISHED,
        note="",
        considered_until=Instant(max(job.considered_until, end_of(job))),
        next_time=None,
        look_at=Instant(now + kept_us),
        updated_at=now,
    )


def result_of(job: Job, *, now: Instant, is_first: bool) -> AwaitResult:
    """Say how a wait ended for one of its callers."""
    at = end_of(job)
    woken = max(now, at)
    return AwaitResult(
        key=name_in(job.id),
        scheduled=moment_from(at),
        woken=moment_from(woken),
        lateness=timedelta(microseconds=woken - at),
        is_first=is_first,
    )


def wait_view(job: Job, *, waiters: int) -> AwaitSnapshot:
    """Show a wait whose time has not come."""
    return AwaitSnapshot(
        key=name_in(job.id),
        since=moment_from(job.created_at),
        until=moment_from(end_of(job)),
        stored_by=json.loads(job.definition.metadata).get("stored_by", ""),
        waiters=waiters,
    )
