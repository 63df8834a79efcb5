"""Watchdogs: how a sign of life, an alarm and an end change the job that keeps one. Pure.

A watchdog is a job with the schedule `OneTime(in_=timeout)`, counted from its anchor: the
last sign of life. So a sign moves the anchor and leaves the definition as it is. Once the
deadline has passed the job has fired and is over, like any one-time job: it is stalled
until the next sign starts it anew. One that has raised an alarm is kept for its history
when the work ends; another is forgotten.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import JobWrite
from nvent_sched._model.instants import SECOND_US, Instant, moment_from
from nvent_sched._model.jobs import Job, JobDefinition, JobStatus
from nvent_sched._model.policies import Overlap, Policies, Retry
from nvent_sched._model.spans import us_words
from nvent_sched._model.values import changed
from nvent_sched._model.watchdogs import WatchdogSnapshot, WatchState
from nvent_sched._rules.declaring import json_text, payload_from
from nvent_sched._rules.schedules import OneTime, schedule_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvent_sched._rules.retention import Retention

ALARM_RETRY: Final = Retry(attempts=3)
"""An alarm that fails is tried again: it is about what fails."""
NOTES: Final = frozenset({"reason", "is_ended"})


def watch_definition(
    job_id: str,
    *,
    handler: str,
    timeout_us: int,
    facts: Mapping[str, Any],
    metadata: str = "{}",
    retry: Retry = ALARM_RETRY,
) -> JobDefinition:
    """Describe a watchdog.

    Args:
        job_id: Of the job that keeps it.
        handler: What an alarm calls.
        timeout_us: How long the work may be silent.
        facts: What the alarm is told besides: `key`, `owner`, and for a run `run_id`
            and `job_id`.
        metadata: The user's, as JSON.
        retry: For the alarm.
    """
    # Two alarms of one watchdog have nothing to wait for in each other.
    policies = Policies(overlap=Overlap.ALLOW_ALL, retry=retry)
    return JobDefinition(
        id=job_id,
        name=str(facts["key"]),
        handler=handler,
        schedule=OneTime(in_=timedelta(microseconds=timeout_us)).spec(),
        payload=payload_from([dict(facts)], None),
        policies=policies,
        metadata=metadata,
    )


def facts_of(definition: JobDefinition) -> dict[str, Any]:
    """Read what a watchdog's definition knows of the work."""
    facts: dict[str, Any] = json.loads(definition.payload)["args"][0]
    return facts


def timeout_us_of(definition: JobDefinition) -> int:
    """Say how long the work may be silent, in microseconds."""
    schedule = schedule_from(definition.schedule)
    assert isinstance(schedule, OneTime)
    assert schedule.in_ is not None
    return schedule.in_ // timedelta(microseconds=1)


def state_of(job: Job) -> WatchState:
    """Say how the work is doing."""
    if job.status is not JobStatus.FINISHED:
        return WatchState.ALIVE
    is_ended = facts_of(job.definition).get("is_ended")
    return WatchState.ENDED if is_ended else WatchState.STALLED


def _cleared(definition: JobDefinition) -> JobDefinition:
    """Forget what was noted about an alarm or the end."""
    facts = facts_of(definition)
    if facts.keys().isdisjoint(NOTES):
        return definition
    kept = {name: fact for name, fact in facts.items() if name not in NOTES}
    return replace(definition, payload=payload_from([kept], None))


def sign_of_life(
    definition: JobDefinition, *, existing: Job | None, at: Instant, now: Instant
) -> JobWrite:
    """Count the time-out from a sign of life, whether or not it ran out before.

    Args:
        definition: The watchdog as it shall be, without what is noted of an alarm.
        existing: As stored; None if there is none.
        at: When the sign was given.
        now: The store's time.
    """
    definition = _cleared(definition)
    deadline = Instant(at + timeout_us_of(definition))
    base = existing or Job(
        definition=definition,
        version=1,
        anchor=at,
        considered_until=Instant(deadline - 1),
        created_at=now,
        updated_at=now,
    )
    is_paused = base.status is JobStatus.PAUSED
    job = changed(
        base,
        definition=definition,
        version=1 if existing is None else existing.version + 1,
        status=JobStatus.PAUSED if is_paused else JobStatus.ACTIVE,
        anchor=at,
        considered_until=Instant(min(base.considered_until, deadline - 1)),
        next_time=deadline,
        look_at=None if is_paused else deadline,
        updated_at=now,
    )
    return JobWrite(job=job, seen_version=job.version - 1)


def alarm_at_once(job: Job, *, reason: str, now: Instant) -> JobWrite | None:
    """Let the alarm be raised now, for a reason that is no silence; None if it was."""
    if job.status is not JobStatus.ACTIVE:
        return None
    facts = {**facts_of(job.definition), "reason": reason}
    due = Instant(min(now, job.next_time or now))
    raised = changed(
        job,
        definition=replace(job.definition, payload=payload_from([facts], None)),
        version=job.version + 1,
        considered_until=Instant(min(job.considered_until, due - 1)),
        next_time=due,
        look_at=due,
        updated_at=now,
    )
    return JobWrite(job=raised, seen_version=job.version)


def end_of_work(job: Job, *, retention: Retention, now: Instant) -> JobWrite | None:
    """Keep a watchdog that has raised an alarm, for its history; None to forget it."""
    if not job.planned:
        return None
    facts = {**facts_of(job.definition), "is_ended": True}
    ended = changed(
        job,
        definition=replace(job.definition, payload=payload_from([facts], None)),
        version=job.version + 1,
        status=JobStatus.FINISHED,
        next_time=None,
        look_at=Instant(now + retention.success_us),
        updated_at=now,
    )
    return JobWrite(job=ended, seen_version=job.version)


def alarm_of(job: Job) -> dict[str, Any]:
    """Say what an alarm is told about the work, as JSON."""
    definition = job.definition
    timeout_us = timeout_us_of(definition)
    return {
        "reason": f"no sign of life for {us_words(timeout_us)}",
        **facts_of(definition),
        "last_beat": moment_from(job.anchor).isoformat(),
        "timeout": timeout_us / SECOND_US,
        "metadata": json.loads(definition.metadata),
    }


def alarm_payload(job: Job) -> str:
    """Write what an alarm's handler is called with."""
    return json_text({"args": [alarm_of(job)]}, what="an alarm")


def watchdog_view(job: Job) -> WatchdogSnapshot:
    """Show a watchdog."""
    definition, state = job.definition, state_of(job)
    facts, alarm = facts_of(definition), alarm_of(job)
    timeout_us = timeout_us_of(definition)
    return WatchdogSnapshot(
        key=str(facts["key"]),
        job_id=job.id,
        state=state,
        reason=None if state is WatchState.ALIVE else str(alarm["reason"]),
        last_beat=moment_from(job.anchor),
        deadline=moment_from(job.anchor + timeout_us),
        timeout=timedelta(microseconds=timeout_us),
        owner=facts.get("owner"),
        run_id=facts.get("run_id"),
        handler=definition.handler,
        metadata=json.loads(definition.metadata),
        alarms=job.planned,
    )
