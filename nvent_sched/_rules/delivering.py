"""What a fire owes to each subscriber, and what is kept for one who comes later. Pure.

The run that delivers a fire to a subscriber is named by both, so that however often it is
decided, there is one. It obeys the subscription's overlap policy like any other run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import JobWrite
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._model.roles import name_in
from nvent_sched._model.runs import Origin, Outcome, RunState
from nvent_sched._model.triggers import TriggerSnapshot
from nvent_sched._model.values import changed
from nvent_sched._rules.demand import OnDemand
from nvent_sched._rules.drafting import Draft
from nvent_sched._rules.planning import Asked, close_asked, plan_asked
from nvent_sched._rules.recurrence import Span
from nvent_sched._rules.viewing import job_view, stats_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvent_sched._model.claims import DueJob, Plan
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats
    from nvent_sched._rules.drafting import Claimant

NO_PAYLOAD: Final = "{}"
KEPT_MARK: Final = "!kept:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """One time a trigger was fired.

    Attributes:
        run_id: The run of the trigger that it is.
        at: The instant it stands for.
        payload: What its run is called with, as canonical JSON.
    """

    run_id: str
    at: Instant
    payload: str


def delivery_id(subscription_id: str, fire: Fire) -> str:
    """Name the run that delivers a fire: the same on every instance, for ever."""
    return f"{subscription_id}!{fire.run_id}"


def plan_delivery(
    facts: DueJob, fires: Sequence[Fire], *, now: Instant, claimant: Claimant
) -> Plan:
    """Decide about fires that are owed to one subscriber, oldest first.

    A subscription that is paused gets a record of each instead of a run.
    """
    job = facts.job
    if job.status is JobStatus.PAUSED:
        draft = Draft(job=job, now=now, claimant=claimant)
        for fire in fires:
            draft.skip(
                Span(first=fire.at, last=fire.at, count=1),
                outcome=Outcome.MISSED,
                reason="the subscription was paused",
                run_id=delivery_id(job.id, fire),
                origin=Origin.TRIGGER,
            )
        return close_asked(draft)
    takes_payload = job.definition.payload != NO_PAYLOAD
    asked = [
        Asked(
            run_id=delivery_id(job.id, fire),
            origin=Origin.TRIGGER,
            scheduled_time=fire.at,
            payload=_handed(fire) if takes_payload else NO_PAYLOAD,
        )
        for fire in fires
    ]
    return plan_asked(facts, asked, now=now, claimant=claimant)


def _handed(fire: Fire) -> str:
    return '{"args":[null]}' if fire.payload == NO_PAYLOAD else fire.payload


def count_deliveries(plans: Iterable[Plan]) -> dict[str, Any]:
    """Say what a fire came to, as its run's result."""
    runs = [run for plan in plans for run in plan.runs]
    skipped = sum(run.state is RunState.FINISHED for run in runs)
    return {"delivered": len(runs) - skipped, "skipped": skipped}


def kept_result() -> dict[str, Any]:
    """Say that a fire found nobody, and waits in history for who comes first."""
    return {"delivered": 0, "is_kept": True}


def is_kept(run: Run) -> bool:
    """Whether a run of a trigger found nobody."""
    if run.outcome is not Outcome.SUCCEEDED or run.result is None:
        return False
    result = json.loads(run.result)
    return isinstance(result, dict) and bool(result.get("is_kept"))


def _has_handed_on(run: Run) -> bool:
    return run.outcome is Outcome.SUCCEEDED and not is_kept(run)


def handed_on_id(trigger_id: str, newest: Run) -> str:
    """Name the run that hands on what was kept up to *newest*."""
    digest = blake2b(newest.id.encode(), digest_size=8).hexdigest()
    return f"{trigger_id}{KEPT_MARK}{digest}"


def is_handing_on(run_id: str, *, trigger_id: str) -> bool:
    """Whether a run of a trigger hands on what was kept, and is no fire of its own."""
    return run_id.startswith(f"{trigger_id}{KEPT_MARK}")


def newest_kept(history: Iterable[Run], *, trigger_id: str) -> Run | None:
    """Find the newest fire that may have found nobody and was not handed on.

    Args:
        history: Runs of the trigger, newest first.
        trigger_id: The trigger.
    """
    for run in history:
        if is_handing_on(run.id, trigger_id=trigger_id):
            if _has_handed_on(run) or run.state is not RunState.FINISHED:
                return None
            continue
        if run.state is not RunState.FINISHED or is_kept(run):
            return run
    return None


def kept_fires(history: Iterable[Run], *, trigger_id: str, but: str) -> list[Fire]:
    """List the fires that found nobody and were not handed on, oldest first.

    Args:
        history: Runs of the trigger, newest first.
        trigger_id: The trigger.
        but: The run that hands them on now.
    """
    fires: list[Fire] = []
    for run in history:
        if is_handing_on(run.id, trigger_id=trigger_id):
            if run.id != but and _has_handed_on(run):
                break
        elif is_kept(run):
            fires.append(
                Fire(run_id=run.id, at=run.scheduled_time, payload=run.payload)
            )
    return fires[::-1]


def retire(job: Job, *, now: Instant) -> Job | None:
    """Take a trigger out of service for good; None if it is."""
    if job.status is JobStatus.FINISHED:
        return None
    return changed(
        job,
        version=job.version + 1,
        status=JobStatus.FINISHED,
        note="",
        next_time=None,
        look_at=None,
        updated_at=now,
    )


def disabled(job: Job) -> JobWrite:
    """Let a new trigger begin paused."""
    paused = changed(
        job, status=JobStatus.PAUSED, note="declared with enabled=False", look_at=None
    )
    return JobWrite(job=paused, seen_version=0)


STATES: Final = {
    JobStatus.ACTIVE: "active",
    JobStatus.PAUSED: "paused",
    JobStatus.FINISHED: "retired",
}
SKIPPED: Final = (Outcome.SKIPPED_OVERLAP, Outcome.MISSED)


def trigger_view(
    job: Job,
    *,
    stats: JobStats,
    deliveries: Sequence[JobStats],
    subscribers: tuple[str, ...],
) -> TriggerSnapshot:
    """Show a trigger.

    Args:
        job: That keeps it.
        stats: Of its fires.
        deliveries: The statistics of its subscriptions.
        subscribers: Their names.
    """
    seen, own = job_view(job), stats_view(stats, job=job)
    return TriggerSnapshot(
        name=name_in(job.id),
        state=STATES[job.status],
        note=job.note,
        schedule=None if isinstance(seen.schedule, OnDemand) else seen.schedule,
        next_time=seen.next_time,
        subscribers=subscribers,
        fired=own.runs,
        delivered=sum(each.counts.get(Outcome.SUCCEEDED, 0) for each in deliveries),
        failed=sum(each.failures for each in deliveries),
        skipped=sum(each.counts.get(why, 0) for each in deliveries for why in SKIPPED),
        last_fired_at=own.last_started_at,
    )
