"""A run: the execution owed to an occurrence, and the moves its life may take. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from nvent_sched._model.values import quick

if TYPE_CHECKING:
    from nvent_sched._model.instants import Instant

ERROR_TEXT_MAX: Final = 4 * 1024
LOG_LINES_MAX: Final = 200
LOG_LINE_MAX: Final = 1_000
RESULT_BYTES_MAX: Final = 256 * 1024
ATTEMPTS_KEPT_MAX: Final = 20
PROGRESS_NOTE_MAX: Final = 200


class Origin(StrEnum):
    """Why a run exists."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    BACKFILL = "backfill"
    RETRY = "retry"
    RECOVERY = "recovery"
    TRIGGER = "trigger"


class RunState(StrEnum):
    """Where a run is in its life."""

    WAITING = "waiting"
    READY = "ready"
    CLAIMED = "claimed"
    FINISHED = "finished"


class Outcome(StrEnum):
    """How a run, or an occurrence that was not run, ended. A closed set."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    LOST = "lost"
    SKIPPED_OVERLAP = "skipped_overlap"
    MISSED = "missed"
    DEAD_LETTERED = "dead_lettered"


EXECUTED: Final = frozenset(
    {
        Outcome.SUCCEEDED,
        Outcome.FAILED,
        Outcome.TIMED_OUT,
        Outcome.CANCELLED,
        Outcome.LOST,
        Outcome.DEAD_LETTERED,
    }
)
"""Outcomes of runs; the others are of occurrences that never became one."""

FAILURES: Final = frozenset(
    {
        Outcome.FAILED,
        Outcome.TIMED_OUT,
        Outcome.LOST,
        Outcome.DEAD_LETTERED,
    }
)
"""Outcomes that count as a failure of the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a run that was not the last one."""

    number: int
    outcome: Outcome
    instance: str | None
    started_at: Instant | None
    ended_at: Instant
    error: str | None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The execution owed to one occurrence, or asked for by hand.

    Attributes:
        id: Unique for ever: made of the job's id and the occurrence, or of a key.
        job_id: The job it belongs to.
        handler: Which handler an instance must have to claim it.
        payload: Canonical JSON of `args` and `kwargs`, as they were when planned.
        origin: Why it exists.
        scheduled_time: The nominal instant.
        due_time: The same after jitter and spread; lateness counts from here.
        ready_at: When this attempt may start: the due time, or later for a retry.
        state: Where it is in its life.
        attempt: The number of the current try, from 1.
        crashes: How often an instance died with it.
        fence: The token of the last claim; 0 before the first.
        instance: Who claimed it; None unless CLAIMED or FINISHED.
        lease_until: Until when the claim holds; None unless CLAIMED.
        started_at: When the handler of the last attempt began.
        finished_at: When it ended, or was found not to be run.
        outcome: How it ended; None unless FINISHED.
        reason: Why, where the outcome alone does not say.
        error: The error's text with its traceback, bounded.
        result: What the handler returned, as JSON.
        log: The lines it logged, bounded.
        progress: The share that is done, 0 to 1, if it says.
        progress_note: What it said of it.
        cancel_reason: Somebody asked to cancel it, and why.
        attempts: Earlier tries, oldest first, bounded.
        count: How many occurrences the record stands for; more than 1 only for a
            range that was skipped, from `scheduled_time` to `until_time`.
        until_time: The last occurrence of such a range.
        keep_until: When the record may be pruned; None unless FINISHED.
    """

    id: str
    job_id: str
    handler: str
    payload: str = "{}"
    origin: Origin = Origin.SCHEDULE
    scheduled_time: Instant
    due_time: Instant
    ready_at: Instant
    state: RunState = RunState.READY
    attempt: int = 1
    crashes: int = 0
    fence: int = 0
    instance: str | None = None
    lease_until: Instant | None = None
    started_at: Instant | None = None
    finished_at: Instant | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    error: str | None = None
    result: str | None = None
    log: tuple[str, ...] = ()
    progress: float | None = None
    progress_note: str | None = None
    cancel_reason: str | None = None
    attempts: tuple[Attempt, ...] = ()
    count: int = 1
    until_time: Instant | None = None
    keep_until: Instant | None = None

    def __post_init__(self) -> None:
        assert (self.state is RunState.FINISHED) == (self.outcome is not None)
        assert (self.state is RunState.CLAIMED) == (self.lease_until is not None)
        assert self.state is not RunState.CLAIMED or self.instance is not None
