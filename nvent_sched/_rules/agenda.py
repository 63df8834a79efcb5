"""Which occurrences of a job are due, and which is the next after them. Pure.

Only a bounded number is looked at one by one. After an outage that covers more, the rest
is counted as one range, so that a year of missed seconds costs no more than an hour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import MILLISECOND_US, Instant
from nvent_sched._model.policies import Misfire, Overlap
from nvent_sched._model.values import quick
from nvent_sched._rules.misfires import Due
from nvent_sched._rules.recurrence import (
    SEARCH_MAX,
    Span,
    count_between,
    due_of,
    due_time,
    following_of,
    latest_until,
    until_end,
)
from nvent_sched._rules.roles import is_planned_ahead

if TYPE_CHECKING:
    from nvent_sched._model.claims import DueJob
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.schedules import Schedule

LOOKAHEAD_US: Final = 250 * MILLISECOND_US
"""How long before its time an occurrence may be planned.

Long enough for a store's commit and for a batch to form, short enough that a pause or an
edit is hardly ever too late.
"""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """What is due now, and what comes after it.

    Attributes:
        due: Occurrences to decide about, oldest first.
        omitted: Late ones that are too many to list.
        next_time: The first occurrence that is not considered now.
    """

    due: tuple[Due, ...]
    omitted: Span | None
    next_time: Instant | None

    @property
    def considered_until(self) -> Instant | None:
        """The last occurrence that is decided about; None for none."""
        return self.due[-1].scheduled_time if self.due else None


def may_run_freely(job: Job) -> bool:
    """Whether no run of the job can stand in another's way."""
    policies = job.definition.policies
    return policies.overlap is Overlap.ALLOW_ALL and policies.running_max is None


def agenda_of(facts: DueJob, schedule: Schedule, *, now: Instant) -> Agenda:
    """List what is due, whether or not `runs_max` will let all of it run.

    Ahead of time comes only what nothing can change any more: the first occurrence, if
    no run is going, or any if runs may overlap freely.
    """
    job = facts.job
    is_free = may_run_freely(job)
    ahead = Instant(now + LOOKAHEAD_US) if is_planned_ahead(job) else now
    limit = ahead if is_free or not facts.live else now
    due: list[Due] = []
    occurrence = job.next_time
    while occurrence is not None and len(due) < SEARCH_MAX:
        following = following_of(schedule, occurrence)
        due_at = due_time(
            job.definition, occurrence, anchor=job.anchor, following=following
        )
        if due_at > limit:
            break
        due.append(Due(scheduled_time=occurrence, due_time=due_at))
        occurrence = until_end(following, policies=job.definition.policies)
        limit = ahead if is_free else now
    if len(due) == SEARCH_MAX and occurrence is not None and occurrence <= now:
        return _long_agenda(job, schedule, due=due, now=now)
    return Agenda(due=tuple(due), omitted=None, next_time=occurrence)


def _long_agenda(
    job: Job, schedule: Schedule, *, due: list[Due], now: Instant
) -> Agenda:
    """Take a long outage at once: list what the policy may choose, count the rest."""
    policies = job.definition.policies
    ends_at = now if policies.ends_at is None else min(now, policies.ends_at)
    known = due[-1].scheduled_time
    latest = latest_until(schedule, until=Instant(ends_at), known=known)
    if due_of(job, latest) > now and latest > known:  # jitter: its time is to come
        latest = latest_until(schedule, until=Instant(latest - 1), known=known)
    wanted = policies.catch_up_max if policies.misfire is Misfire.ALL else 1
    newest = [latest]
    while len(newest) < min(wanted, SEARCH_MAX) and newest[-1] > known:
        before = Instant(newest[-1] - 1)
        newest.append(latest_until(schedule, until=before, known=known))
    head = due[:1] if policies.misfire is Misfire.EARLIEST else []
    first = due[len(head)].scheduled_time
    last = latest_until(schedule, until=Instant(newest[-1] - 1), known=first)
    listed = [
        Due(
            scheduled_time=each,
            due_time=due_of(job, each),
        )
        for each in reversed(newest)
    ]
    return Agenda(
        due=(*head, *listed),
        omitted=replace(count_between(schedule, first=first, last=last), last=last),
        next_time=until_end(following_of(schedule, latest), policies=policies),
    )
