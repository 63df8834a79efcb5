"""What passes between the engine and a store: claims, plans, settlements, verdicts. Pure.

Expected outcomes are values: losing a race is `Stale`, not an exception.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvent_sched._model.values import quick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvent_sched._model.events import Event
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.runs import Run, RunState
    from nvent_sched._model.statistics import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The write was applied (or had been applied before by the same request)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """Somebody else was faster; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """Somebody asked for the run to be cancelled; that it goes on was not written."""


STORED = Stored()
STALE = Stale()
CANCELLED = Cancelled()
Verdict = Stored | Stale
Settled = Stored | Stale | Cancelled


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class JobWrite:
    """Write a job if nobody changed it meanwhile.

    Attributes:
        job: The job as it shall be; its version is `seen_version` + 1.
        seen_version: The version it was decided on; 0 for "there is none".
    """

    job: Job
    seen_version: int

    def __post_init__(self) -> None:
        assert self.job.version == self.seen_version + 1


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """A run that is not finished, as far as a plan needs to know it."""

    id: str
    state: RunState
    scheduled_time: Instant
    due_time: Instant
    is_cancelled: bool


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class DueJob:
    """The facts about a job that the planner must look at.

    Attributes:
        job: As stored.
        live: Its runs that are not finished, oldest first.
        last_finished_at: When a run of it last ended; None for never.
    """

    job: Job
    live: tuple[LiveRun, ...] = ()
    last_finished_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueBatch:
    """What is due, by the store's clock.

    Attributes:
        now: The store's time when it was read.
        jobs: Jobs to look at, the most overdue first.
        next_look_at: The earliest look of a job that is not in `jobs` and whose
            handler is among those asked for; None for none. May be in the past, if
            more was due than asked for.
        next_ready_at: The earliest `ready_at` of a READY run of those handlers.
        quarantined: Ids of jobs whose stored bytes could not be read; they are
            put out of the way, with the reason, and never deleted.
    """

    now: Instant
    jobs: tuple[DueJob, ...]
    next_look_at: Instant | None
    next_ready_at: Instant | None
    quarantined: Mapping[str, str]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do about one due job: a pure verdict, applied whole or not at all.

    Attributes:
        write: The job, advanced past what was considered.
        runs: Runs to insert: CLAIMED ones that this instance starts (the store gives
            them their fence), READY and WAITING ones, and FINISHED records of
            occurrences that are not run. A run whose id exists is left as it is.
        promote: Ids of WAITING runs that become READY.
        cancel: Runs that shall be cancelled, with the reason.
        cancelled_until: How long what `cancel` ends is kept.
        tallies: What the FINISHED records add to the statistics.
        events: What to tell; the engine publishes them, the store does not.
        is_drop: Forget the job (finished long ago) instead of writing it.
    """

    write: JobWrite
    runs: tuple[Run, ...] = ()
    promote: tuple[str, ...] = ()
    cancel: Mapping[str, str] = field(default_factory=dict)
    cancelled_until: Instant | None = None
    tallies: tuple[Tally, ...] = ()
    events: tuple[Event, ...] = ()
    is_drop: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A plan was applied.

    Attributes:
        fences: For each run of the plan in order: its fencing token if it was inserted
            as CLAIMED, else 0. A CLAIMED run that got 0 existed already and is not
            ours to start.
    """

    fences: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Free slots for runs of some handlers."""

    handlers: tuple[str, ...]
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Runs that are now ours.

    Attributes:
        now: The store's time when they were claimed.
        runs: CLAIMED, with their fence and the end of their lease.
        next_ready_at: The earliest `ready_at` of what is left for these handlers.
    """

    now: Instant
    runs: tuple[Run, ...]
    next_ready_at: Instant | None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Write what became of a run, if nobody took it meanwhile.

    Attributes:
        run: The run as it shall be: FINISHED, or READY for another attempt.
        seen_state: The state it was decided on.
        seen_fence: The fence it was decided on.
        seen_lease_until: Also require this lease; for a reaper, which decides on
            somebody else's lease and must not win against a renewal.
        tally: What it adds to the statistics.
    """

    run: Run
    seen_state: RunState
    seen_fence: int
    seen_lease_until: Instant | None = None
    tally: Tally | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """Keep a claim alive, and say how far the run is.

    Attributes:
        extend: Extend the lease; without it only the progress is written.
    """

    run_id: str
    fence: int
    extend: bool = True
    progress: float | None = None
    progress_note: str | None = None
    started_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """The answer to a heartbeat.

    Attributes:
        now: The store's time.
        stale: Runs of the request that are no longer ours.
        cancelled: Runs of ours that somebody asked to cancel, with the reason.
    """

    now: Instant
    stale: frozenset[str]
    cancelled: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Runs whose owner cannot end them any more.

    Attributes:
        now: The store's time.
        runs: CLAIMED runs whose lease ended or whose instance is dead.
        dead: Instances that were found dead and are no longer listed.
        oldest_beat_at: The oldest heartbeat of those that live; None if none does.
    """

    now: Instant
    runs: tuple[Run, ...]
    dead: tuple[str, ...]
    oldest_beat_at: Instant | None
