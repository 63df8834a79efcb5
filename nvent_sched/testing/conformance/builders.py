"""Values for tests: valid, small, and different only in what a test is about. Pure.

All instants count from `NOON`, far enough from zero that an adapter which keeps time in
floats, or in milliseconds, is found out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvent_sched._model.claims import JobWrite, Plan, Settlement
from nvent_sched._model.events import Event, EventKind
from nvent_sched._model.instances import Instance
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.jobs import Job, JobDefinition, JobStatus
from nvent_sched._model.locks import LockAsk
from nvent_sched._model.policies import DEFAULT_POLICIES, Policies
from nvent_sched._model.runs import FAILURES, Origin, Outcome, Run, RunState
from nvent_sched._model.statistics import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

NOON: Final = Instant(1_767_268_800_123_457)  # 2026-01-01, a little after noon
LEASE_US: Final = 300 * SECOND_US
HANDLER: Final = "work"


def at(seconds: int, *, us: int = 0) -> Instant:
    """Say the instant so long after `NOON`."""
    return Instant(NOON + seconds * SECOND_US + us)


def a_job(
    job_id: str = "job",
    *,
    handler: str = HANDLER,
    name: str | None = None,
    tags: tuple[str, ...] = (),
    policies: Policies = DEFAULT_POLICIES,
    version: int = 1,
    status: JobStatus = JobStatus.ACTIVE,
    look_at: Instant | None = None,
    looks_on_finish: bool = False,
) -> Job:
    """Make a job; its version is 1 and nothing looks at it unless said otherwise."""
    definition = JobDefinition(
        id=job_id,
        name=job_id if name is None else name,
        handler=handler,
        schedule='{"every":60000000}',
        policies=policies,
        tags=tags,
    )
    return Job(
        definition=definition,
        version=version,
        status=status,
        anchor=NOON,
        considered_until=NOON,
        look_at=look_at,
        looks_on_finish=looks_on_finish,
        created_at=NOON,
        updated_at=NOON,
    )


def a_write(job: Job) -> JobWrite:
    """Write a job over the version before it."""
    return JobWrite(job=job, seen_version=job.version - 1)


def the_next(
    job: Job, *, look_at: Instant | None = None, looks_on_finish: bool = False
) -> Job:
    """Make the next version of a job."""
    version = job.version + 1
    return replace(
        job, version=version, look_at=look_at, looks_on_finish=looks_on_finish
    )


def a_run(
    run_id: str = "run",
    *,
    job_id: str = "job",
    handler: str = HANDLER,
    origin: Origin = Origin.SCHEDULE,
    scheduled: Instant = NOON,
    ready_at: Instant | None = None,
    state: RunState = RunState.READY,
    instance: str = "one",
    lease_until: Instant | None = None,
    outcome: Outcome = Outcome.SKIPPED_OVERLAP,
    finished_at: Instant = NOON,
    keep_until: Instant | None = None,
) -> Run:
    """Make a run in any state; what belongs to other states is left out."""
    is_claimed, is_finished = state is RunState.CLAIMED, state is RunState.FINISHED
    lease_until = at(300) if lease_until is None else lease_until
    return Run(
        id=run_id,
        job_id=job_id,
        handler=handler,
        origin=origin,
        scheduled_time=scheduled,
        due_time=scheduled,
        ready_at=scheduled if ready_at is None else ready_at,
        state=state,
        instance=instance if is_claimed else None,
        lease_until=lease_until if is_claimed else None,
        outcome=outcome if is_finished else None,
        finished_at=finished_at if is_finished else None,
        keep_until=keep_until if is_finished else None,
    )


def a_plan(
    job: Job,
    *runs: Run,
    promote: tuple[str, ...] = (),
    cancel: Mapping[str, str] | None = None,
    tallies: tuple[Tally, ...] = (),
    is_drop: bool = False,
) -> Plan:
    """Plan the write of a job, which is the version that shall be, with its runs."""
    return Plan(
        write=a_write(job),
        runs=runs,
        promote=promote,
        cancel={} if cancel is None else cancel,
        tallies=tallies,
        is_drop=is_drop,
    )


def a_tally(
    outcome: Outcome | None = Outcome.SUCCEEDED,
    *,
    job_id: str = "job",
    count: int = 1,
    started_at: Instant | None = None,
    finished_at: Instant = NOON,
    duration_us: int | None = None,
    lateness_us: int | None = None,
    error: str | None = None,
) -> Tally:
    """Say what one record adds to the statistics."""
    return Tally(
        job_id=job_id,
        outcome=outcome,
        count=count,
        started_at=started_at,
        finished_at=finished_at,
        duration_us=duration_us,
        lateness_us=lateness_us,
        error=error,
    )


def an_end(
    run: Run,
    outcome: Outcome = Outcome.SUCCEEDED,
    *,
    now: Instant = NOON,
    keep_until: Instant | None = None,
    seen_lease_until: Instant | None = None,
) -> Settlement:
    """Settle a run as ended, and count it."""
    error = "ValueError: no" if outcome in FAILURES else None
    ended = replace(
        run,
        state=RunState.FINISHED,
        lease_until=None,
        outcome=outcome,
        error=error,
        finished_at=now,
        keep_until=keep_until,
    )
    return Settlement(
        run=ended,
        seen_state=run.state,
        seen_fence=run.fence,
        seen_lease_until=seen_lease_until,
        tally=a_tally(outcome, job_id=run.job_id, finished_at=now, error=error),
    )


def a_release(run: Run, *, ready_at: Instant = NOON) -> Settlement:
    """Settle a run as READY for another attempt."""
    ready = replace(
        run,
        state=RunState.READY,
        instance=None,
        lease_until=None,
        ready_at=ready_at,
        attempt=run.attempt + 1,
        outcome=None,
        finished_at=None,
        keep_until=None,
    )
    return Settlement(run=ready, seen_state=run.state, seen_fence=run.fence)


def an_instance(
    instance_id: str = "one",
    *,
    handlers: tuple[str, ...] = (HANDLER,),
    started_at: Instant = NOON,
    running: int = 0,
) -> Instance:
    """Make an instance."""
    return Instance(
        id=instance_id,
        host="host",
        pid=42,
        release="1.2.3",
        started_at=started_at,
        heartbeat_at=started_at,
        handlers=handlers,
        slots=10,
        running=running,
    )


def an_event(detail: str = "", *, run_id: str | None = None) -> Event:
    """Make an event that is not published yet."""
    return Event(
        at=NOON,
        kind=EventKind.RUN_STARTED,
        instance="one",
        job_id="job",
        run_id=run_id,
        detail=detail,
    )


def an_ask(
    ticket: str,
    *,
    name: str = "lock",
    holder: str = "one",
    ttl_us: int = 30 * SECOND_US,
    place_us: int = 0,
) -> LockAsk:
    """Make a wish for a lock; it lasts for 30 seconds and waits for none."""
    return LockAsk(
        name=name, ticket=ticket, holder=holder, ttl_us=ttl_us, place_us=place_us
    )
