"""What to do about one job that must be looked at: facts and now become a `Plan`. Pure.

The planner looks a little ahead (`agenda.LOOKAHEAD_US`), so that a run is stored, claimed
and in memory before it is due and its start waits for nothing but the clock. It looks
ahead only where nothing that happens until then can change the verdict; otherwise the
job is looked at again exactly when it is due.

Whatever the plan, it leaves the job with a time to be looked at again, or to be looked at
when one of its runs ends, or finished: never forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvent_sched._model.claims import JobWrite, Plan
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._model.runs import Origin, Outcome
from nvent_sched._model.values import changed, quick
from nvent_sched._rules.agenda import LOOKAHEAD_US, agenda_of
from nvent_sched._rules.drafting import Claimant, Draft, run_id_of
from nvent_sched._rules.misfires import Due, choose_due
from nvent_sched._rules.overlap import Floor
from nvent_sched._rules.recurrence import (
    due_of,
    is_after_finish,
    next_after_finish,
    next_occurrence,
    schedule_of,
)
from nvent_sched._rules.roles import (
    end_of,
    idle_look,
    is_fired,
    is_over_once_due,
    is_planned_ahead,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.claims import DueJob
    from nvent_sched._model.schedules import Schedule
    from nvent_sched._rules.agenda import Agenda


def plan_due(facts: DueJob, *, now: Instant, claimant: Claimant) -> Plan:
    """Decide about a job that must be looked at.

    Args:
        facts: The job and its live runs, as the store has them.
        now: The store's time.
        claimant: Who plans.
    """
    job = facts.job
    floor = Floor.of(facts.live, policies=job.definition.policies)
    promote = floor.promote()
    draft = Draft(job=job, now=now, claimant=claimant)
    if job.status is not JobStatus.ACTIVE:
        return _plan_inactive(draft, floor=floor, promote=promote)
    schedule = schedule_of(job)
    agenda = agenda_of(facts, schedule, now=now)
    choice = choose_due(
        agenda.due,
        policies=job.definition.policies,
        now=now,
        omitted=agenda.omitted,
    )
    for span, reason in choice.missed:
        draft.skip(span, outcome=Outcome.MISSED, reason=reason)
    live = {run.id for run in facts.live}
    for due in choice.chosen:
        if draft.is_used_up:
            break
        if live and run_id_of(job.id, due.scheduled_time) in live:
            draft.started += 1  # planned ahead, before an edit: it has its run
        else:
            draft.add(due, floor=floor)
    mark = Instant(max(job.considered_until, agenda.considered_until or 0))
    next_time = _next_time(
        facts,
        agenda,
        schedule=schedule,
        floor=floor,
        planned=job.planned + draft.started,
        now=now,
    )
    return _close(
        draft,
        floor=floor,
        promote=promote,
        standing=_Standing(
            considered_until=mark,
            next_time=next_time,
            is_between_runs=is_after_finish(schedule) and bool(floor.active),
        ),
    )


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """Where the schedule stands after a plan."""

    considered_until: Instant
    next_time: Instant | None
    is_between_runs: bool


def _next_time(
    facts: DueJob,
    agenda: Agenda,
    *,
    schedule: Schedule,
    floor: Floor,
    planned: int,
    now: Instant,
) -> Instant | None:
    job = facts.job
    policies = job.definition.policies
    mark = agenda.considered_until
    if mark is not None and is_over_once_due(job):
        return None
    if is_after_finish(schedule):
        if agenda.next_time is not None:
            return agenda.next_time
        if floor.active or floor.waiting:
            return None
        return _next_after_finish(
            facts, schedule, was_due=mark is not None, planned=planned, now=now
        )
    if policies.runs_max is None or mark is None:
        return agenda.next_time
    return next_occurrence(schedule, policies=policies, after=mark, planned=planned)


def _next_after_finish(
    facts: DueJob, schedule: Schedule, *, was_due: bool, planned: int, now: Instant
) -> Instant | None:
    """Say when a job is due that counts from the end of its run, now that none goes."""
    job = facts.job
    policies = job.definition.policies
    ended = job.anchor if facts.last_finished_at is None else facts.last_finished_at
    if was_due:
        ended = now  # nothing is going although something was due: it was missed
    found = next_after_finish(
        schedule, policies=policies, ended_at=ended, planned=planned
    )
    if found is None or found > job.considered_until:
        return found
    # The last one was missed as it should have begun, or the clock was set back.
    ended = Instant(max(now, job.considered_until))
    return next_after_finish(
        schedule, policies=policies, ended_at=ended, planned=planned
    )


def _close(
    draft: Draft, *, floor: Floor, promote: tuple[str, ...], standing: _Standing
) -> Plan:
    job, now = draft.job, draft.now
    is_over = (
        standing.next_time is None
        and (draft.is_used_up or not standing.is_between_runs)
        and not is_fired(job)
    )
    if is_over:
        kind, detail, job_id, run_id = end_of(job)
        draft.tell(kind, detail=detail, job_id=job_id, run_id=run_id)
    look_at = _look_at(job, standing.next_time, now=now)
    if is_over and not job.definition.declared:
        look_at = Instant(now + draft.claimant.retention.success_us)
    advanced = changed(
        job,
        version=job.version + 1,
        status=JobStatus.FINISHED if is_over else job.status,
        considered_until=standing.considered_until,
        next_time=standing.next_time,
        look_at=look_at,
        looks_on_finish=bool(floor.waiting)
        or (standing.is_between_runs and not is_over),
        planned=job.planned + draft.started,
    )
    return _plan(draft, advanced, floor=floor, promote=promote)


def _plan(
    draft: Draft, advanced: Job, *, floor: Floor, promote: tuple[str, ...]
) -> Plan:
    return Plan(
        write=JobWrite(job=advanced, seen_version=draft.job.version),
        runs=tuple(draft.runs),
        promote=promote,
        cancel=floor.cancel,
        cancelled_until=draft.claimant.retention.keep_until(
            Outcome.CANCELLED, ended_at=draft.now
        )
        if floor.cancel
        else None,
        tallies=tuple(draft.tallies),
        events=tuple(draft.events),
    )


def _look_at(job: Job, next_time: Instant | None, *, now: Instant) -> Instant | None:
    """Say when to look at a job for its next occurrence: ahead, or exactly then."""
    if next_time is None:
        return idle_look(job, now=now)
    due_at = due_of(job, next_time)
    if not is_planned_ahead(job):
        return due_at
    ahead = Instant(due_at - LOOKAHEAD_US)
    return ahead if ahead > now else due_at


def look_at_of(job: Job, *, now: Instant) -> Instant | None:
    """Say when a job that was just edited must be looked at first.

    One that waits for the end of a run is looked at now: that end may have come just
    before the edit, and a second one need not follow.
    """
    if job.looks_on_finish:
        return now
    is_active = job.status is JobStatus.ACTIVE
    return _look_at(job, job.next_time, now=now) if is_active else None


def _plan_inactive(draft: Draft, *, floor: Floor, promote: tuple[str, ...]) -> Plan:
    """Let what is buffered go; forget a finished job when its time has come."""
    job = draft.job
    has_runs = bool(floor.active or floor.waiting)
    is_past = job.look_at is not None and job.look_at <= draft.now
    look_at = job.look_at
    if is_past and has_runs:
        kept_us = max(draft.claimant.retention.success_us, SECOND_US)
        look_at = Instant(draft.now + kept_us)
    is_drop = job.status is JobStatus.FINISHED and is_past and not has_runs
    advanced = changed(
        job,
        version=job.version + 1,
        look_at=None if job.status is JobStatus.PAUSED else look_at,
        looks_on_finish=bool(floor.waiting),
    )
    return replace(
        _plan(draft, advanced, floor=floor, promote=promote), is_drop=is_drop
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run somebody asks for by hand.

    Attributes:
        run_id: Its name; asking twice with one name gives one run.
        scheduled_time: The instant it stands for.
        payload: Other arguments than the job's, as canonical JSON.
        is_made_up: It queues up instead of being skipped.
    """

    run_id: str
    origin: Origin
    scheduled_time: Instant
    payload: str | None = None
    is_made_up: bool = False


def plan_asked(
    facts: DueJob, asked: Sequence[Asked], *, now: Instant, claimant: Claimant
) -> Plan:
    """Decide about runs that are asked for by hand.

    They obey the overlap policy like any other, and leave the schedule where it stands:
    their identities are their own.
    """
    job = facts.job
    made_up = sum(each.is_made_up for each in asked)
    floor = Floor.of(facts.live, policies=job.definition.policies, asked=made_up)
    promote = floor.promote()
    draft = Draft(job=job, now=now, claimant=claimant)
    for each in asked:
        due = Due(
            scheduled_time=each.scheduled_time,
            due_time=now,
            is_made_up=each.is_made_up,
        )
        draft.add(
            due,
            floor=floor,
            run_id=each.run_id,
            origin=each.origin,
            payload=each.payload,
        )
    return close_asked(draft, floor=floor, promote=promote)


def close_asked(
    draft: Draft, *, floor: Floor | None = None, promote: tuple[str, ...] = ()
) -> Plan:
    """Make a plan that leaves the schedule of its job where it stands."""
    job = draft.job
    if floor is None:
        floor = Floor(policies=job.definition.policies, active=[], waiting=[])
    advanced = changed(
        job,
        version=job.version + 1,
        looks_on_finish=job.looks_on_finish or bool(floor.waiting),
    )
    return _plan(draft, advanced, floor=floor, promote=promote)
