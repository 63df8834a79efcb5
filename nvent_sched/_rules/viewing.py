"""From records to what a reader sees. Pure."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.instants import MICROSECOND, Instant, moment_from
from nvent_sched._model.policies import PoliciesSnapshot
from nvent_sched._model.roles import BUILT_IN
from nvent_sched._model.snapshots import (
    AttemptSnapshot,
    EventSnapshot,
    InstanceSnapshot,
    JobSnapshot,
    LockSnapshot,
    Percentiles,
    RunSnapshot,
    StatsSnapshot,
)
from nvent_sched._rules.recurrence import due_of, schedule_of
from nvent_sched._rules.unreadable import Unreadable
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from nvent_sched._model.events import Event
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.locks import LockRecord
    from nvent_sched._model.policies import Policies
    from nvent_sched._model.runs import Attempt, Run
    from nvent_sched._model.schedules import Schedule
    from nvent_sched._model.statistics import JobStats


POLICIES_CACHED: Final = 1_024
LENGTH_US_MAX: Final = timedelta.max // MICROSECOND


def _moment(instant: Instant | None) -> datetime | None:
    return None if instant is None else moment_from(instant)


def _span(length_us: int | None) -> timedelta | None:
    return None if length_us is None else _length(length_us)


def _length(length_us: int) -> timedelta:
    # What is stored may be longer than what may be given now.
    return timedelta(microseconds=min(length_us, LENGTH_US_MAX))


def _arguments(payload: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    given = json.loads(payload)
    return tuple(given.get("args", ())), given.get("kwargs", {})


def _schedule_of(job: Job) -> Schedule:
    """Read a job's schedule; one that cannot be read is shown as what it is."""
    try:
        return schedule_of(job)
    except UsageError as error:
        return Unreadable(text=job.definition.schedule, reason=str(error))


def job_view(job: Job) -> JobSnapshot:
    """Show a job."""
    definition = job.definition
    args, kwargs = _arguments(definition.payload)
    schedule, next_due = _schedule_of(job), None
    if job.next_time is not None and not isinstance(schedule, Unreadable):
        next_due = due_of(job, job.next_time)
    return JobSnapshot(
        id=job.id,
        name=definition.name,
        handler=definition.handler,
        schedule=schedule,
        args=args,
        kwargs=kwargs,
        policies=policies_view(definition.policies),
        tags=definition.tags,
        metadata=json.loads(definition.metadata),
        status=job.status,
        note=job.note,
        next_time=_moment(job.next_time),
        next_due=_moment(next_due),
        planned=job.planned,
        created_at=moment_from(job.created_at),
        updated_at=moment_from(job.updated_at),
        version=job.version,
    )


@lru_cache(POLICIES_CACHED)
def policies_view(policies: Policies) -> PoliciesSnapshot:
    """Show policies by the words in which one writes them. Most jobs share theirs."""
    return PoliciesSnapshot(
        overlap=policies.overlap,
        max_running=policies.running_max,
        max_buffered=policies.buffer_max,
        misfire=policies.misfire,
        misfire_grace=_length(policies.misfire_grace_us),
        catch_up_window=_length(policies.catch_up_window_us),
        max_catch_up=policies.catch_up_max,
        retry=policies.retry,
        timeout=_span(policies.timeout_us),
        on_lost=policies.on_lost,
        max_crashes=policies.crashes_max,
        pause_after_failures=policies.pause_after_failures,
        starts_at=_moment(policies.starts_at),
        ends_at=_moment(policies.ends_at),
        max_runs=policies.runs_max,
        jitter=_length(policies.jitter_us),
        spread=_length(policies.spread_us),
        stall_after=_span(policies.stall_after_us),
    )


def run_view(run: Run) -> RunSnapshot:
    """Show a run."""
    args, kwargs = _arguments(run.payload)
    lateness_us, duration_us = None, None
    if run.started_at is not None:
        lateness_us = max(0, run.started_at - run.ready_at)
        if run.finished_at is not None:
            duration_us = max(0, run.finished_at - run.started_at)
    return RunSnapshot(
        id=run.id,
        job_id=run.job_id,
        handler=run.handler,
        origin=run.origin,
        state=run.state,
        outcome=run.outcome,
        args=args,
        kwargs=kwargs,
        scheduled_time=moment_from(run.scheduled_time),
        due_time=moment_from(run.due_time),
        ready_at=moment_from(run.ready_at),
        started_at=_moment(run.started_at),
        finished_at=_moment(run.finished_at),
        lateness=_span(lateness_us),
        duration=_span(duration_us),
        attempt=run.attempt,
        crashes=run.crashes,
        fencing_token=run.fence,
        instance=run.instance,
        reason=run.reason,
        error=run.error,
        result=None if run.result is None else json.loads(run.result),
        log=run.log,
        progress=run.progress,
        progress_note=run.progress_note,
        attempts=tuple(_attempt_view(attempt) for attempt in run.attempts),
        count=run.count,
        until_time=_moment(run.until_time),
    )


def _attempt_view(attempt: Attempt) -> AttemptSnapshot:
    return AttemptSnapshot(
        number=attempt.number,
        outcome=attempt.outcome,
        instance=attempt.instance,
        started_at=_moment(attempt.started_at),
        ended_at=moment_from(attempt.ended_at),
        error=attempt.error,
    )


def stats_view(stats: JobStats, *, job: Job | None) -> StatsSnapshot:
    """Show statistics, with the next time of the job if there is one."""
    return StatsSnapshot(
        job_id=stats.job_id,
        runs=stats.runs,
        failures=stats.failures,
        skipped=stats.skipped,
        counts=dict(stats.counts),
        retries=stats.retries,
        success_streak=stats.success_streak,
        failure_streak=stats.failure_streak,
        last_outcome=stats.last_outcome,
        last_started_at=_moment(stats.last_started_at),
        last_finished_at=_moment(stats.last_finished_at),
        last_success_at=_moment(stats.last_success_at),
        last_failure_at=_moment(stats.last_failure_at),
        last_error=stats.last_error,
        next_time=None if job is None else _moment(job.next_time),
        duration=_percentiles(stats.duration_us),
        lateness=_percentiles(stats.lateness_us),
    )


def _percentiles(estimate: Callable[[float], int | None]) -> Percentiles:
    return Percentiles(
        p50=_span(estimate(0.5)), p95=_span(estimate(0.95)), p99=_span(estimate(0.99))
    )


def instance_view(instance: Instance) -> InstanceSnapshot:
    """Show an instance."""
    return InstanceSnapshot(
        id=instance.id,
        host=instance.host,
        pid=instance.pid,
        release=instance.release,
        started_at=moment_from(instance.started_at),
        heartbeat_at=moment_from(instance.heartbeat_at),
        handlers=tuple(
            name for name in instance.handlers if not name.startswith(BUILT_IN)
        ),
        slots=instance.slots,
        running=instance.running,
    )


def event_view(event: Event) -> EventSnapshot:
    """Show an event."""
    return EventSnapshot(
        at=moment_from(event.at),
        kind=event.kind,
        instance=event.instance,
        job_id=event.job_id,
        run_id=event.run_id,
        detail=event.detail,
        seq=event.seq,
    )


def lock_view(record: LockRecord) -> LockSnapshot:
    """Show a lock that somebody has."""
    return LockSnapshot(
        name=record.name,
        holder=record.holder,
        fencing_token=record.fence,
        since=moment_from(record.since),
        until=moment_from(record.until),
        waiters=record.waiters,
    )
