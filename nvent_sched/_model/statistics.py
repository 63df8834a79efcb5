"""What is counted of a job, and what one run adds to it. Counters outlive history. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvent_sched._model.histogram import percentile_us
from nvent_sched._model.runs import EXECUTED, FAILURES, Outcome
from nvent_sched._model.values import quick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvent_sched._model.instants import Instant


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one record adds to its job's statistics.

    Attributes:
        outcome: How it ended; None for an attempt that will be followed by another,
            which counts as a retry only.
        count: How many occurrences the record stands for.
        started_at: When the handler began, if it did.
        finished_at: When it ended.
        duration_us: How long the handler took, if it began.
        lateness_us: Start minus due time, if it began; at least 0.
        error: The last line of the error, if there was one.
        record_id: In a plan, the record it belongs to: one that was there already was
            counted then, and is not again. None to count in any case.
    """

    job_id: str
    outcome: Outcome | None
    count: int = 1
    started_at: Instant | None = None
    finished_at: Instant
    duration_us: int | None = None
    lateness_us: int | None = None
    error: str | None = None
    record_id: str | None = None

    @property
    def is_failure(self) -> bool:
        """Whether it ends a streak of successes."""
        return self.outcome in FAILURES

    @property
    def is_success(self) -> bool:
        """Whether it ends a streak of failures."""
        return self.outcome is Outcome.SUCCEEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStats:
    """The statistics of one job, or of several added up.

    Attributes:
        counts: Records by outcome; a range that was skipped counts each occurrence.
        retries: Attempts that were followed by another.
        success_streak: Successes since the last failure.
        failure_streak: Failures since the last success.
        duration: Histogram of how long handlers took.
        lateness: Histogram of start minus due time.
    """

    job_id: str
    counts: Mapping[Outcome, int] = field(default_factory=dict)
    retries: int = 0
    success_streak: int = 0
    failure_streak: int = 0
    last_outcome: Outcome | None = None
    last_started_at: Instant | None = None
    last_finished_at: Instant | None = None
    last_success_at: Instant | None = None
    last_failure_at: Instant | None = None
    last_error: str | None = None
    duration: Mapping[int, int] = field(default_factory=dict)
    lateness: Mapping[int, int] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        """How many runs ended, however they did."""
        return sum(self.counts.get(outcome, 0) for outcome in EXECUTED)

    @property
    def failures(self) -> int:
        """How many runs ended as a failure."""
        return sum(self.counts.get(outcome, 0) for outcome in FAILURES)

    @property
    def skipped(self) -> int:
        """How many occurrences were not run, by policy."""
        return sum(self.counts.values()) - self.runs

    def duration_us(self, share: float) -> int | None:
        """Estimate a percentile of the durations, in microseconds."""
        return percentile_us(self.duration, share=share)

    def lateness_us(self, share: float) -> int | None:
        """Estimate a percentile of the lateness, in microseconds."""
        return percentile_us(self.lateness, share=share)
