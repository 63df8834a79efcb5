"""What a live view knows of one job. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.runs import FAILURES, Outcome
from nvent_sched._model.values import quick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.roles import Role

STRIP_MAX: Final = 24
"""How many recent runs a row shows."""
LEVELS: Final = 16
LATE_US: Final = 5 * SECOND_US
"""By how much a job that is due and does not run is late."""


class State(StrEnum):
    """How a job stands, the most urgent first. A closed set."""

    FAILING = "failing"
    LATE = "late"
    RETRYING = "retrying"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    FINISHED = "finished"


RANKS: Final = {state: rank for rank, state in enumerate(State)}
SHAPES: Final = {
    State.FAILING: "◆",
    State.LATE: "▲",
    State.RETRYING: "↻",
    State.RUNNING: "▶",
    State.WAITING: "●",
    State.PAUSED: "‖",
    State.FINISHED: "✓",
}
"""A shape for each, beside its word: colour is never the only sign."""


class Past(NamedTuple):
    """A run that ended, or an occurrence that was not run."""

    run_id: str
    outcome: Outcome
    finished_at: Instant
    duration_us: int | None


class Going(NamedTuple):
    """A run that goes on."""

    run_id: str
    started_at: Instant
    attempt: int = 1
    progress: float | None = None
    note: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A job in a live view.

    Attributes:
        words: Its schedule in words.
        going: How many of its runs go on; the attributes below are those of the oldest.
        again_at: When a failed run is tried again; None if none waits for it.
        usual_us: The median of its durations.
        strip: Its recent runs, the oldest first, one character each: see `strip_of`.
        error: The last line of the last error, while it fails.
        version: That of the model when this row last changed.
    """

    id: str
    name: str
    role: Role
    words: str
    tags: tuple[str, ...]
    status: JobStatus
    note: str
    next_due: Instant | None
    going: int
    started_at: Instant | None
    progress: float | None
    progress_note: str
    attempt: int
    again_at: Instant | None
    last_outcome: Outcome | None
    last_finished_at: Instant | None
    last_duration_us: int | None
    usual_us: int | None
    strip: str
    runs: int
    failures: int
    failure_streak: int
    error: str
    version: int


def state_of(row: Row, *, now: Instant) -> State:
    """Say how a job stands. `dashboard.js` decides alike, by the browser's clock."""
    if row.status is JobStatus.PAUSED and not row.going:
        return State.PAUSED
    if row.failure_streak:
        return State.FAILING
    if row.going:
        return State.RUNNING
    if row.again_at is not None:
        return State.RETRYING
    if row.status is JobStatus.FINISHED:
        return State.FINISHED
    is_late = row.next_due is not None and row.next_due + LATE_US < now
    return State.LATE if is_late else State.WAITING


def rank_of(row: Row, *, now: Instant) -> tuple[int, Instant, str]:
    """Order rows: what needs somebody first, then what is due first, then by id."""
    due = Instant(2**62) if row.next_due is None else row.next_due
    return RANKS[state_of(row, now=now)], due, row.id


def strip_of(past: Sequence[Past]) -> str:
    """Write recent runs as one character each, to be sent and drawn.

    A letter is a run that had its handler called: `a` to `p` is how long it took beside
    the longest of them, in upper case if it failed. `.` was not run, by policy; `x` was
    cancelled.
    """
    longest_us = max((each.duration_us or 0 for each in past), default=0) or 1
    return "".join(_sign_of(each, longest_us=longest_us) for each in past)


def _sign_of(past: Past, *, longest_us: int) -> str:
    if past.outcome in {Outcome.SKIPPED_OVERLAP, Outcome.MISSED}:
        return "."
    if past.outcome is Outcome.CANCELLED:
        return "x"
    level = (past.duration_us or 0) * (LEVELS - 1) // longest_us
    letter = chr(ord("a") + level)
    return letter.upper() if past.outcome in FAILURES else letter


def strip_words(strip: str) -> str:
    """Say a strip in words, for who cannot see it."""
    if not strip:
        return "no runs yet"
    failed = sum(each.isupper() for each in strip)
    passed_over = sum(each in ".x" for each in strip)
    parts = [f"{len(strip) - failed - passed_over} went well", f"{failed} failed"]
    if passed_over:
        parts.append(f"{passed_over} not run or cancelled")
    return f"last {len(strip)}: {', '.join(parts)}"
