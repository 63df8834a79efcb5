"""What pausing and resuming do to a job. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._model.runs import FAILURES, Origin
from nvent_sched._model.values import changed
from nvent_sched._rules.planning import look_at_of
from nvent_sched._rules.recurrence import (
    is_after_finish,
    next_occurrence,
    schedule_of,
    until_end,
)
from nvent_sched._rules.roles import is_fired

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.policies import Policies
    from nvent_sched._model.runs import Outcome, Run


def pause(job: Job, *, reason: str, now: Instant) -> Job | None:
    """Stop a job from producing occurrences; None if it produces none anyway."""
    if job.status is not JobStatus.ACTIVE:
        return None
    paused = changed(
        job,
        version=job.version + 1,
        status=JobStatus.PAUSED,
        note=reason,
        updated_at=now,
    )
    return changed(paused, look_at=look_at_of(paused, now=now))


def resume(job: Job, *, is_catch_up: bool, now: Instant) -> Job | None:
    """Let a paused job produce occurrences again; None if it is not paused.

    Args:
        job: As stored.
        is_catch_up: Treat what fell into the pause as missed, by the misfire policy;
            otherwise the pause is passed over and nothing of it is owed.
        now: The store's time.
    """
    if job.status is not JobStatus.PAUSED:
        return None
    resumed = changed(
        job,
        version=job.version + 1,
        status=JobStatus.ACTIVE,
        note="",
        updated_at=now,
    )
    schedule = schedule_of(job)
    is_overdue = job.next_time is not None and job.next_time <= now
    if is_overdue and not is_catch_up:
        following = (
            until_end(now, policies=job.definition.policies)
            if is_after_finish(schedule)
            else next_occurrence(
                schedule,
                policies=job.definition.policies,
                after=now,
                planned=job.planned,
            )
        )
        mark = min(now, following - 1) if following is not None else now
        resumed = changed(resumed, considered_until=mark, next_time=following)
    is_to_end = is_after_finish(schedule) or not is_fired(job)
    if resumed.next_time is None and is_to_end:
        # Its run ended in the pause, or nothing is left of it: the plan tells which.
        return changed(resumed, look_at=now)
    return changed(resumed, look_at=look_at_of(resumed, now=now))


def still_owes(job: Job, run: Run) -> bool:
    """Say whether a run that was claimed ahead of its time is owed after an edit.

    What somebody asked for by hand, and what was begun before, is not the schedule's. Of
    the rest an edit of anything but the timing takes nothing away, and one of the timing
    only what the new one does not have.

    Args:
        job: As edited.
        run: Of the job; not begun in this attempt.
    """
    is_of_schedule = run.origin is Origin.SCHEDULE and run.attempt == 1
    if not is_of_schedule or job.anchor < job.updated_at:  # the anchor moves with it
        return True
    schedule = schedule_of(job)
    return not is_after_finish(schedule) and run.scheduled_time == next_occurrence(
        schedule,
        policies=job.definition.policies,
        after=Instant(run.scheduled_time - 1),
        planned=0,
    )


def should_pause(policies: Policies, *, outcome: Outcome, failure_streak: int) -> bool:
    """Say whether a job has failed often enough in a row to be paused."""
    limit = policies.pause_after_failures
    return limit is not None and outcome in FAILURES and failure_streak >= limit


def has_failed_since(job: Job, failures: Sequence[Run], *, limit: int) -> bool:
    """Say whether a job has failed so often since somebody edited or resumed it.

    Args:
        job: As stored.
        failures: The last of its runs that failed; as many as *limit*, if so many are kept.
        limit: How often it may.

    Returns:
        True also if fewer are kept: then all that is known is how many there were.
    """
    later = sum((run.finished_at or 0) >= job.updated_at for run in failures)
    return len(failures) < limit or later >= limit
