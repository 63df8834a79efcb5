"""`drop_jobs`: what is forgotten with a job, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.claims import STORED
from nvent_sched._model.queries import JobQuery
from nvent_sched._model.runs import RunState
from nvent_sched._model.statistics import JobStats
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_plan,
    a_run,
    a_tally,
    an_end,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    claim,
    commit,
    insert,
    put,
    read_run,
    read_stats,
    run_ids,
    settle,
    take_due_ids,
)

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestDropJobs:
    """Forget jobs with their statistics, history and runs nobody has claimed."""

    async def test_a_dropped_job_is_gone_and_not_looked_at(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job(look_at=NOON))

        assert await adapter.drop_jobs(["job"], now=NOON) == ("job",)

        assert (await adapter.read_jobs(JobQuery())).items == ()
        assert await adapter.read_facts(["job"]) == ()
        assert await take_due_ids(adapter, now=at(9)) == []

    async def test_only_the_ids_that_existed_are_answered_in_order(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job("a"), a_job("b"))

        dropped = await adapter.drop_jobs(["b", "nobody", "a"], now=NOON)

        assert dropped == ("b", "a")

    async def test_a_drop_repeated_after_its_answer_was_lost_finds_nothing(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await adapter.drop_jobs(["job"], now=NOON)

        assert await adapter.drop_jobs(["job"], now=NOON) == ()

    async def test_waiting_ready_and_finished_runs_go_and_claimed_ones_stay(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        states = {state.value: a_run(state.value, state=state) for state in RunState}
        await insert(adapter, *states.values())

        await adapter.drop_jobs(["job"], now=NOON)

        assert await run_ids(adapter) == ["claimed"]
        assert await claim(adapter) == ()

    async def test_runs_of_other_jobs_stay(self, adapter: Adapter) -> None:
        await put(adapter, a_job("a"), a_job("b"))
        await insert(adapter, a_run("a1", job_id="a"))
        await insert(adapter, a_run("b1", job_id="b"))

        await adapter.drop_jobs(["a"], now=NOON)

        assert await run_ids(adapter) == ["b1"]

    async def test_the_statistics_do_not_come_back_with_a_job_of_that_id(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await commit(adapter, a_plan(the_next(a_job()), tallies=(a_tally(),)))

        await adapter.drop_jobs(["job"], now=NOON)
        await put(adapter, a_job())

        assert await read_stats(adapter) == JobStats(job_id="job")
        assert await adapter.read_stats(None) == (JobStats(job_id=""),)

    async def test_a_claimed_run_of_a_dropped_job_can_be_settled(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)
        await adapter.drop_jobs(["job"], now=NOON)

        assert await settle(adapter, an_end(run)) == STORED

        assert (await read_run(adapter)).state is RunState.FINISHED
        assert await read_stats(adapter) == JobStats(job_id="job")

    async def test_fences_go_on_growing_after_a_drop(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("before"))
        (before,) = await claim(adapter, request_id="first")
        await adapter.settle([an_end(before)], now=NOON)
        await adapter.drop_jobs(["job"], now=NOON)

        await put(adapter, a_job())
        await insert(adapter, a_run("after"))
        (after,) = await claim(adapter, request_id="second")

        assert after.fence > before.fence
