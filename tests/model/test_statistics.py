"""Statistics: what is derived from the counters."""

from __future__ import annotations

import pytest

from nvent_sched._model.instants import Instant
from nvent_sched._model.runs import FAILURES, Outcome
from nvent_sched._model.statistics import JobStats, Tally


def test_runs_failures_and_skips_are_told_apart() -> None:
    counts = {outcome: 10**place for place, outcome in enumerate(Outcome)}

    stats = JobStats(job_id="job", counts=counts)

    skipped = counts[Outcome.SKIPPED_OVERLAP] + counts[Outcome.MISSED]
    assert stats.skipped == skipped
    assert stats.runs == sum(counts.values()) - skipped
    assert stats.failures == sum(counts[outcome] for outcome in FAILURES)


def test_without_counts_nothing_ran() -> None:
    stats = JobStats(job_id="job")

    assert (stats.runs, stats.failures, stats.skipped) == (0, 0, 0)
    assert stats.duration_us(0.5) is stats.lateness_us(0.5) is None


def test_percentiles_are_read_from_their_own_histogram() -> None:
    stats = JobStats(job_id="job", duration={0: 1}, lateness={4: 1})

    assert (stats.duration_us(0.5), stats.lateness_us(0.5)) == (1, 2)


@pytest.mark.parametrize("outcome", [*Outcome, None], ids=str)
def test_a_tally_is_a_success_a_failure_or_neither(outcome: Outcome | None) -> None:
    tally = Tally(job_id="job", outcome=outcome, finished_at=Instant(1))

    assert tally.is_success == (outcome is Outcome.SUCCEEDED)
    assert tally.is_failure == (outcome in FAILURES)
