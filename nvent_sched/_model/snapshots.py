"""What a reader sees: jobs, runs and statistics with aware datetimes. Pure.

Each is a value of one moment. Nothing here changes when the store does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nvent_sched._model.showing import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from nvent_sched._model.jobs import JobStatus
    from nvent_sched._model.policies import PoliciesSnapshot
    from nvent_sched._model.runs import Origin, Outcome, RunState
    from nvent_sched._model.schedules import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSnapshot(Shown):
    """A job, as stored.

    Attributes:
        schedule: Fixed to the job's anchor, so it can be asked for occurrences.
        note: Why it is paused; empty otherwise.
        next_time: The next nominal occurrence, in UTC; None for none.
        next_due: The same after jitter and spread.
        planned: How many occurrences became runs so far.
    """

    id: str
    name: str
    handler: str
    schedule: Schedule
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    policies: PoliciesSnapshot
    tags: tuple[str, ...]
    metadata: Mapping[str, Any]
    status: JobStatus
    note: str
    next_time: datetime | None
    next_due: datetime | None
    planned: int
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSnapshot:
    """One earlier try of a run."""

    number: int
    outcome: Outcome
    instance: str | None
    started_at: datetime | None
    ended_at: datetime
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot(Shown):
    """A run, or the record of occurrences that were not run.

    Attributes:
        scheduled_time: Nominal instant.
        due_time: After jitter and spread.
        started_at: When the handler of the last attempt began.
        finished_at: When it ended.
        lateness: Start minus the time it was ready to start; None before it starts.
        duration: How long the last attempt took; None before it ends.
        reason: Why, where the outcome alone does not say.
        error: The error's text with its traceback.
        result: What the handler returned.
        count: How many occurrences the record stands for.
        until_time: The last of them, if more than one.
    """

    id: str
    job_id: str
    handler: str
    origin: Origin
    state: RunState
    outcome: Outcome | None
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    scheduled_time: datetime
    due_time: datetime
    ready_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    lateness: timedelta | None
    duration: timedelta | None
    attempt: int
    crashes: int
    fencing_token: int
    instance: str | None
    reason: str | None
    error: str | None
    result: Any
    log: tuple[str, ...]
    progress: float | None
    progress_note: str | None
    attempts: tuple[AttemptSnapshot, ...]
    count: int
    until_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Estimates from a histogram, each at most 25 % too high; None without data."""

    p50: timedelta | None
    p95: timedelta | None
    p99: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsSnapshot:
    """Statistics of one job, or of all added up. They outlive history.

    Attributes:
        job_id: Which job; empty for all.
        runs: Runs that ended, however they did.
        failures: Those that ended as a failure.
        skipped: Occurrences that were not run, by policy.
        counts: Occurrences by outcome.
        retries: Attempts that were followed by another.
    """

    job_id: str
    runs: int
    failures: int
    skipped: int
    counts: Mapping[Outcome, int]
    retries: int
    success_streak: int
    failure_streak: int
    last_outcome: Outcome | None
    last_started_at: datetime | None
    last_finished_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str | None
    next_time: datetime | None
    duration: Percentiles
    lateness: Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitResult:
    """How a wait ended whose time has come.

    Attributes:
        key: Of the wait.
        scheduled: The stored time it was to end at, in UTC.
        woken: When this caller went on, by the store's clock.
        lateness: What lies between the two; never negative.
        is_first: This call stored the time; otherwise somebody else had, or this
            program before it was restarted.
    """

    key: str
    scheduled: datetime
    woken: datetime
    lateness: timedelta
    is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitSnapshot:
    """A wait whose time has not come.

    Attributes:
        key: Of the wait.
        since: When its time was stored, in UTC.
        until: When it ends.
        stored_by: The instance that stored the time; it may have ended since.
        waiters: How many callers wait for it in this instance.
    """

    key: str
    since: datetime
    until: datetime
    stored_by: str
    waiters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSnapshot:
    """A lock that somebody has.

    Attributes:
        name: Of the lock.
        holder: The instance that has it.
        fencing_token: Higher than every one that was given out before.
        since: When it got the lock, in UTC.
        until: When the hold ends unless it is renewed.
        waiters: How many wait for it, on all instances.
    """

    name: str
    holder: str
    fencing_token: int
    since: datetime
    until: datetime
    waiters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSnapshot:
    """One started scheduler, as it last reported."""

    id: str
    host: str
    pid: int
    release: str
    started_at: datetime
    heartbeat_at: datetime
    handlers: tuple[str, ...]
    slots: int
    running: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSnapshot:
    """Something that happened; `kind` and `detail` say what."""

    at: datetime
    kind: str
    instance: str
    job_id: str | None
    run_id: str | None
    detail: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSnapshot:
    """Whether this instance does its work.

    Attributes:
        is_ok: No trouble with the store, no loop is late, nothing is overdue for
            longer than a minute, and no job stands still because a clock was ahead
            (of the first 100 jobs; `check` looks at all).
        store: What stands in the way of the store; None if nothing does.
        pass_age: By loop: the time since its last good pass.
        overdue: How long the oldest due job has been waiting; None if none is.
        unresolved: Handlers that due work waits for and no instance has, with how
            much waits.
        quarantined: Jobs that cannot be read, with the reason.
        problems: All that is not well, in words.
    """

    is_ok: bool
    instance: str
    running: int
    slots: int
    store: str | None
    pass_age: Mapping[str, timedelta] = field(default_factory=dict)
    overdue: timedelta | None
    unresolved: Mapping[str, int]
    quarantined: Mapping[str, str]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerSnapshot(Shown):
    """Everything at a glance, of one moment.

    Attributes:
        total: The statistics of all jobs added up.
        stats: By job id, of the jobs listed.
        running: Runs going on.
        recent: Runs that ended last.
        job_counts: How many jobs there are, by status: of those that `jobs` lists.
    """

    at: datetime
    jobs: tuple[JobSnapshot, ...]
    stats: Mapping[str, StatsSnapshot]
    total: StatsSnapshot
    running: tuple[RunSnapshot, ...]
    recent: tuple[RunSnapshot, ...]
    instances: tuple[InstanceSnapshot, ...]
    job_counts: Mapping[JobStatus, int]
