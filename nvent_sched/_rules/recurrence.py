"""Which instants a job is due at: schedule, bounds, jitter and spread. Pure.

Jitter is a hash of job and occurrence, spread one of the job alone, so that every
instance, preview and restart computes the same instants.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import INSTANT_MIN, Instant, moment_from
from nvent_sched._rules.schedules import Interval, OneTime, schedule_from
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from nvent_sched._model.jobs import Job, JobDefinition
    from nvent_sched._model.policies import Policies
    from nvent_sched._model.schedules import Schedule

SEARCH_MAX: Final = 1_000
"""How many missed occurrences are looked at one by one."""


def schedule_of(job: Job) -> Schedule:
    """Read the job's schedule, fixed to its anchor."""
    return schedule_from(job.definition.schedule).anchored(job.anchor)


def is_after_finish(schedule: Schedule) -> bool:
    """Whether the next occurrence is known only once a run has ended."""
    return isinstance(schedule, Interval) and schedule.after == "finish"


def starting_mark(schedule: Schedule, *, now: Instant) -> Instant:
    """Say up to where a new or changed schedule has nothing to run.

    A one-time job is due even if its time is past; everything else begins after *now*:
    an edit is not retroactive.
    """
    if isinstance(schedule, OneTime):
        at = schedule.anchored(now).next_instant(Instant(-(10**18)))
        assert at is not None
        return Instant(min(now, at - 1))
    return now


def next_occurrence(
    schedule: Schedule, *, policies: Policies, after: Instant, planned: int
) -> Instant | None:
    """Say the first occurrence after *after* that the bounds allow.

    Args:
        schedule: Fixed to its anchor.
        policies: The job's, for `starts_at`, `ends_at` and `runs_max`.
        after: Exclusive.
        planned: How many occurrences became runs so far.

    Returns:
        Later than *after*; None if there is none.
    """
    if policies.runs_max is not None and planned >= policies.runs_max:
        return None
    if policies.starts_at is not None:
        after = Instant(max(after, policies.starts_at - 1))
    return until_end(schedule.next_instant(after), policies=policies)


def until_end(found: Instant | None, *, policies: Policies) -> Instant | None:
    """Return *found*, or None if it is past `ends_at`."""
    if found is None or policies.ends_at is None or found <= policies.ends_at:
        return found
    return None


def following_of(schedule: Schedule, occurrence: Instant) -> Instant | None:
    """Say which occurrence follows, within the bounds or not; None if not known yet.

    Jitter is cut by it, so it must be the same for everyone who asks.
    """
    return None if is_after_finish(schedule) else schedule.next_instant(occurrence)


def due_time(
    definition: JobDefinition,
    scheduled_time: Instant,
    *,
    anchor: Instant,
    following: Instant | None,
) -> Instant:
    """Say when an occurrence may start: its nominal time plus spread and jitter.

    Returns:
        At or after *scheduled_time* and *anchor*, and before *following*.
    """
    policies = definition.policies
    offset_us = 0
    if policies.spread_us:
        offset_us += _share_of(policies.spread_us, definition.id)
    if policies.jitter_us:
        offset_us += _share_of(policies.jitter_us, f"{definition.id}@{scheduled_time}")
    if following is not None:
        offset_us = min(offset_us, max(0, following - scheduled_time - 1))
    return Instant(max(scheduled_time, anchor) + offset_us)


def due_of(job: Job, scheduled_time: Instant) -> Instant:
    """Say when an occurrence of a job may start, looking up the one after it."""
    policies = job.definition.policies
    following = None
    if policies.jitter_us or policies.spread_us:
        following = following_of(schedule_of(job), scheduled_time)
    return due_time(
        job.definition, scheduled_time, anchor=job.anchor, following=following
    )


def next_after_finish(
    schedule: Schedule, *, policies: Policies, ended_at: Instant, planned: int
) -> Instant | None:
    """Say the next occurrence of an interval that counts from the end of a run."""
    assert isinstance(schedule, Interval)
    if policies.runs_max is not None and planned >= policies.runs_max:
        return None
    found = Instant(max(ended_at + schedule.every_us, policies.starts_at or 0))
    is_over = policies.ends_at is not None and found > policies.ends_at
    return None if is_over else found


def _share_of(length_us: int, text: str) -> int:
    drawn = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
    return drawn * length_us >> 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of occurrences that are taken together.

    Attributes:
        count: How many; a lower bound unless `is_exact`.
    """

    first: Instant
    last: Instant
    count: int
    is_exact: bool = True


def latest_until(schedule: Schedule, *, until: Instant, known: Instant) -> Instant:
    """Find the last occurrence at or before *until* by bisection.

    Args:
        schedule: Fixed to its anchor.
        until: Inclusive.
        known: An occurrence at or before *until*.
    """
    low, high = int(known), int(until)
    latest = known
    while low < high:
        middle = (low + high) // 2
        found = schedule.next_instant(Instant(middle))
        if found is not None and found <= until:
            latest, low = found, int(found)
        else:
            high = middle
    return latest


def count_between(schedule: Schedule, *, first: Instant, last: Instant) -> Span:
    """Count the occurrences of a long range: exactly for intervals, else at least."""
    if isinstance(schedule, Interval):
        count = (last - first) // schedule.every_us + 1
        return Span(first=first, last=last, count=count)
    return Span(first=first, last=last, count=SEARCH_MAX, is_exact=False)


def refuse_before_first(schedule: Schedule, *, end: Instant) -> None:
    """Say why there is nothing before what an interval counts from.

    Args:
        schedule: Fixed to its anchor.
        end: Of the range in which no occurrence was found.

    Raises:
        UsageError: All of it is before an interval's first occurrence.
    """
    if not isinstance(schedule, Interval):
        return
    first = schedule.next_instant(INSTANT_MIN)
    if first is not None and end <= first:
        msg = (
            f"an interval has no occurrence before its first, {moment_from(first)}: "
            "reschedule it with an earlier anchor, Interval(..., anchor=...)"
        )
        raise UsageError(msg)
