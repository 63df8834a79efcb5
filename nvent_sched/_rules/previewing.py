"""The next occurrences of a schedule, with what a clock change does to them. Pure."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from nvent_sched._model.instants import Instant, moment_from
from nvent_sched._rules.cron import Cron, Preview
from nvent_sched._rules.recurrence import schedule_of

__all__ = ["Preview", "preview_of", "preview_of_job"]

if TYPE_CHECKING:
    from datetime import datetime

    from nvent_sched._model.jobs import Job
    from nvent_sched._model.schedules import Schedule


def preview_of(schedule: Schedule, *, after: datetime, n: int) -> tuple[Preview, ...]:
    """List the next occurrences.

    Args:
        schedule: Any.
        after: Exclusive.
        n: How many at most; none below 1.
    """
    if isinstance(schedule, Cron):
        return tuple(schedule.preview(after, n))
    return tuple(
        Preview(moment=moment, note=None)
        for moment in islice(schedule.occurrences(after), max(0, n))
    )


def preview_of_job(job: Job, *, now: Instant, n: int) -> tuple[Preview, ...]:
    """List the next occurrences of a job, within its bounds.

    Args:
        job: As stored.
        now: The store's time.
        n: How many at most.
    """
    policies = job.definition.policies
    after = max(now, job.considered_until)
    if policies.starts_at is not None:
        after = Instant(max(after, policies.starts_at - 1))
    if policies.runs_max is not None:
        n = min(n, policies.runs_max - job.planned)
    previews = preview_of(schedule_of(job), after=moment_from(after), n=n)
    if policies.ends_at is None:
        return previews
    ends_at = moment_from(policies.ends_at)
    return tuple(each for each in previews if each.moment <= ends_at)
