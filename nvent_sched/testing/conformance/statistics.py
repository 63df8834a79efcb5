"""`read_stats`: what is counted of a job, and of all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvent_sched._model.runs import EXECUTED, Outcome, RunState
from nvent_sched._model.statistics import JobStats
from nvent_sched.testing.conformance.builders import (
    a_job,
    a_plan,
    a_run,
    a_tally,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    commit,
    put,
    read_job,
    read_run,
    read_stats,
)

if TYPE_CHECKING:
    from nvent_sched._model.statistics import Tally
    from nvent_sched._port import Adapter


async def count(adapter: Adapter, *tallies: Tally, job_id: str = "job") -> None:
    """Add tallies to a job."""
    (facts,) = await adapter.read_facts([job_id])
    await commit(adapter, a_plan(the_next(facts.job), tallies=tallies))


class TestReadStats:
    """Read the statistics of these jobs, in order; None for all jobs added up."""

    async def test_a_job_without_any_has_empty_ones_and_so_has_an_unknown_one(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job("a"))

        stats = await adapter.read_stats(["nobody", "a"])

        assert stats == (JobStats(job_id="nobody"), JobStats(job_id="a"))

    async def test_statistics_come_in_the_order_asked_for(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job("a"), a_job("b"))
        await count(adapter, a_tally(job_id="b"), job_id="b")

        first, second = await adapter.read_stats(["b", "a"])

        assert (first.job_id, first.runs) == ("b", 1)
        assert (second.job_id, second.runs) == ("a", 0)

    async def test_a_record_that_was_there_is_left_alone_and_not_counted_again(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        first, second = a_run(state=RunState.FINISHED), a_run("new", scheduled=at(60))
        second = replace(second, state=RunState.FINISHED, outcome=Outcome.MISSED)
        skipped = replace(a_tally(Outcome.SKIPPED_OVERLAP), record_id="run")
        await commit(adapter, a_plan(the_next(a_job()), first, tallies=(skipped,)))
        missed = replace(a_tally(Outcome.MISSED), record_id="new")
        again = replace(first, reason="decided anew, after the clock was set back")
        job = await read_job(adapter)

        plan = a_plan(the_next(job), again, second, tallies=(skipped, missed))
        await commit(adapter, plan)

        counts = {Outcome.SKIPPED_OVERLAP: 1, Outcome.MISSED: 1}
        assert (await read_stats(adapter)).counts == counts
        assert await read_run(adapter) == first

    @pytest.mark.parametrize("outcome", list(Outcome), ids=str)
    async def test_each_outcome_is_counted_with_its_occurrences(
        self, adapter: Adapter, outcome: Outcome
    ) -> None:
        await put(adapter, a_job())

        await count(adapter, a_tally(outcome), a_tally(outcome, count=5))

        assert (await read_stats(adapter)).counts == {outcome: 6}

    async def test_an_attempt_that_another_follows_counts_as_a_retry_only(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())

        await count(
            adapter, a_tally(None, duration_us=5, lateness_us=6, error="ValueError")
        )

        assert await read_stats(adapter) == JobStats(job_id="job", retries=1)

    async def test_a_streak_ends_when_the_opposite_happens(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        good, bad = a_tally(Outcome.SUCCEEDED), a_tally(Outcome.FAILED)

        await count(adapter, bad, good, good)
        up = await read_stats(adapter)
        await count(adapter, bad, bad, a_tally(Outcome.TIMED_OUT))
        down = await read_stats(adapter)

        assert (up.success_streak, up.failure_streak) == (2, 0)
        assert (down.success_streak, down.failure_streak) == (0, 3)

    @pytest.mark.parametrize(
        "outcome", [Outcome.CANCELLED, Outcome.MISSED, Outcome.SKIPPED_OVERLAP], ids=str
    )
    async def test_what_is_neither_success_nor_failure_ends_no_streak(
        self, adapter: Adapter, outcome: Outcome
    ) -> None:
        await put(adapter, a_job())

        await count(adapter, a_tally(Outcome.FAILED), a_tally(outcome))
        await count(adapter, a_tally(Outcome.FAILED))

        assert (await read_stats(adapter)).failure_streak == 2

    @pytest.mark.parametrize("outcome", sorted(EXECUTED), ids=str)
    async def test_the_last_run_is_remembered(
        self, adapter: Adapter, outcome: Outcome
    ) -> None:
        await put(adapter, a_job())
        last = a_tally(outcome, started_at=at(3, us=1), finished_at=at(4, us=1))

        await count(adapter, a_tally(started_at=at(1), finished_at=at(2)), last)

        stats = await read_stats(adapter)
        assert stats.last_outcome is outcome
        assert stats.last_started_at == at(3, us=1)
        assert stats.last_finished_at == at(4, us=1)

    @pytest.mark.parametrize(
        "outcome", [Outcome.MISSED, Outcome.SKIPPED_OVERLAP], ids=str
    )
    async def test_an_occurrence_that_was_not_run_is_not_the_last_run(
        self, adapter: Adapter, outcome: Outcome
    ) -> None:
        await put(adapter, a_job())
        await count(adapter, a_tally(started_at=at(1), finished_at=at(2)))
        before = await read_stats(adapter)

        await count(adapter, a_tally(outcome, finished_at=at(9)))

        after = await read_stats(adapter)
        assert after.last_outcome is before.last_outcome
        assert after.last_finished_at == before.last_finished_at
        assert after.skipped == 1

    async def test_a_run_that_never_began_leaves_the_last_start(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())

        await count(adapter, a_tally(started_at=at(1)), a_tally(Outcome.LOST))

        assert (await read_stats(adapter)).last_started_at == at(1)

    async def test_the_last_success_the_last_failure_and_its_error_are_remembered(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())

        await count(
            adapter,
            a_tally(Outcome.FAILED, finished_at=at(1), error="first"),
            a_tally(Outcome.TIMED_OUT, finished_at=at(2), error="second"),
            a_tally(Outcome.SUCCEEDED, finished_at=at(3)),
            a_tally(Outcome.CANCELLED, finished_at=at(4), error="unwanted"),
        )

        stats = await read_stats(adapter)
        assert stats.last_failure_at == at(2)
        assert stats.last_error == "second"
        assert stats.last_success_at == at(3)
        assert stats.last_finished_at == at(4)

    async def test_percentiles_of_lengths_come_from_the_histograms(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        lengths = [1_000] * 98 + [1_000_000, 3_600_000_000]

        await count(
            adapter,
            *(a_tally(duration_us=each, lateness_us=each // 10) for each in lengths),
        )

        stats = await read_stats(adapter)
        for share, length_us in ((0.5, 1_000), (0.99, 1_000_000), (1, 3_600_000_000)):
            duration_us, lateness_us = (
                stats.duration_us(share),
                stats.lateness_us(share),
            )
            assert duration_us is not None
            assert lateness_us is not None
            assert length_us <= duration_us <= length_us * 1.25
            assert length_us // 10 <= lateness_us <= length_us // 10 * 1.25
        assert sum(stats.duration.values()) == sum(stats.lateness.values()) == 100

    async def test_a_length_that_is_not_known_is_not_counted(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())

        await count(adapter, a_tally(duration_us=None, lateness_us=0))

        stats = await read_stats(adapter)
        assert dict(stats.duration) == {}
        assert dict(stats.lateness) == {0: 1}

    async def test_the_sum_adds_counts_retries_and_lengths_of_all_jobs(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job("a"), a_job("b"))
        timed = a_tally(
            job_id="a",
            started_at=at(1),
            finished_at=at(5),
            duration_us=100,
            lateness_us=7,
        )
        await count(
            adapter,
            timed,
            a_tally(Outcome.FAILED, job_id="a", finished_at=at(6)),
            a_tally(None, job_id="a"),
            job_id="a",
        )
        await count(
            adapter,
            a_tally(job_id="b", duration_us=100, started_at=at(2), finished_at=at(3)),
            a_tally(Outcome.MISSED, job_id="b", count=9),
            a_tally(None, job_id="b"),
            job_id="b",
        )

        (total,) = await adapter.read_stats(None)

        assert total.job_id == ""
        assert total.counts == {
            Outcome.SUCCEEDED: 2,
            Outcome.FAILED: 1,
            Outcome.MISSED: 9,
        }
        assert total.retries == 2
        assert list(total.duration.values()) == [2]
        assert list(total.lateness.values()) == [1]
        assert total.last_started_at == at(2)
        assert total.last_finished_at == at(6)
        assert total.last_success_at == at(5)
        assert total.last_failure_at == at(6)

    async def test_the_sum_of_nothing_is_empty(self, adapter: Adapter) -> None:
        assert await adapter.read_stats(None) == (JobStats(job_id=""),)

    async def test_a_tally_for_a_job_that_does_not_exist_is_not_kept(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())

        await count(adapter, a_tally(job_id="nobody"))

        assert (await read_stats(adapter, "nobody")).runs == 0
        assert (await adapter.read_stats(None))[0].runs == 0
