"""`commit_plans`: a plan is applied whole, once, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvent_sched._model.claims import STALE, Committed
from nvent_sched._model.queries import JobQuery
from nvent_sched._model.runs import Attempt, Outcome, Run, RunState
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_plan,
    a_run,
    a_tally,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    beat,
    claim,
    commit,
    insert,
    put,
    read_job,
    read_run,
    read_stats,
    run_ids,
    take_due_ids,
)

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestCommitPlans:
    """Apply each plan whose job still has the version it was decided on."""

    async def test_the_job_is_written_with_its_runs(self, adapter: Adapter) -> None:
        await put(adapter, a_job(look_at=NOON))
        advanced = the_next(a_job(), look_at=at(60))

        fences = await commit(adapter, a_plan(advanced, a_run()))

        assert fences == (0,)
        assert await read_job(adapter) == advanced
        assert await read_run(adapter) == a_run()

    async def test_a_stale_plan_changes_nothing(self, adapter: Adapter) -> None:
        await put(adapter, a_job(), the_next(a_job()))
        stale = a_plan(the_next(a_job()), a_run(), tallies=(a_tally(),))

        verdicts = await adapter.commit_plans([stale], now=NOON)

        assert verdicts == (STALE,)
        assert await run_ids(adapter) == []
        assert (await read_stats(adapter)).runs == 0

    async def test_a_plan_for_a_job_that_was_dropped_is_stale(
        self, adapter: Adapter
    ) -> None:
        plan = a_plan(the_next(a_job()), a_run(state=RunState.CLAIMED))

        verdicts = await adapter.commit_plans([plan], now=NOON)

        assert verdicts == (STALE,)
        assert await run_ids(adapter) == []

    async def test_a_plan_repeated_after_its_answer_was_lost_is_stale_and_starts_nothing(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        plan = a_plan(
            the_next(a_job()), a_run(state=RunState.CLAIMED), tallies=(a_tally(),)
        )
        await commit(adapter, plan)
        stored = await read_run(adapter)

        verdicts = await adapter.commit_plans([plan], now=at(1))

        assert verdicts == (STALE,)
        assert await read_run(adapter) == stored
        assert (await read_stats(adapter)).runs == 1

    async def test_each_plan_of_a_batch_has_its_own_verdict(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job("a"), a_job("b"), the_next(a_job("b")), a_job("c"))
        plans = [
            a_plan(the_next(a_job(name)), a_run(f"{name}1", job_id=name))
            for name in "abc"
        ]

        verdicts = await adapter.commit_plans(plans, now=NOON)

        assert verdicts == (Committed(fences=(0,)), STALE, Committed(fences=(0,)))
        assert await run_ids(adapter) == ["a1", "c1"]

    async def test_of_two_plans_for_one_job_the_second_is_stale(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        plans = [a_plan(the_next(a_job()), a_run(name)) for name in ("first", "second")]

        verdicts = await adapter.commit_plans(plans, now=NOON)

        assert verdicts[1] == STALE
        assert await run_ids(adapter) == ["first"]

    async def test_a_run_is_read_back_to_the_microsecond(
        self, adapter: Adapter
    ) -> None:
        made = Attempt(
            number=1,
            outcome=Outcome.FAILED,
            instance="zéro",
            started_at=at(1, us=1),
            ended_at=at(2, us=2),
            error="ValueError: “no”\n",
        )
        run = Run(
            id="run@日本",
            job_id="job",
            handler="work",
            payload='{"args":["é"]}',
            scheduled_time=at(0, us=1),
            due_time=at(0, us=2),
            ready_at=at(0, us=3),
            state=RunState.FINISHED,
            attempt=2,
            crashes=1,
            instance="one",
            started_at=at(0, us=4),
            finished_at=at(0, us=5),
            outcome=Outcome.SUCCEEDED,
            reason="why",
            error="what\n\tit was",
            result='{"a":[1,2.5,null]}',
            log=("one\n", "two"),
            progress=0.25,
            progress_note="a quarter",
            cancel_reason="enough",
            attempts=(made, replace(made, number=2, error=None, started_at=None)),
            count=3,
            until_time=at(0, us=6),
            keep_until=at(0, us=7),
        )
        await put(adapter, a_job())

        await insert(adapter, run)

        assert await read_run(adapter, run.id) == run


class TestPromote:
    """WAITING runs become READY."""

    async def test_a_waiting_run_becomes_ready_and_may_be_claimed(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("going"), a_run(state=RunState.WAITING))
        job = await read_job(adapter)
        assert [run.id for run in await claim(adapter, request_id="a")] == ["going"]

        await commit(adapter, a_plan(the_next(job), promote=("run",)))

        assert await read_run(adapter) == a_run()
        assert [run.id for run in await claim(adapter, request_id="b")] == ["run"]

    async def test_a_run_that_is_not_waiting_is_left_as_it_is(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        states = (RunState.READY, RunState.CLAIMED, RunState.FINISHED)
        runs = await insert(
            adapter, *(a_run(each.value, state=each) for each in states)
        )
        job = await read_job(adapter)
        ids = (*(run.id for run in runs), "nobody")

        await commit(adapter, a_plan(the_next(job), promote=ids))

        for run in runs:
            assert await read_run(adapter, run.id) == run


class TestCancelByPlan:
    """What nobody has claimed ends at once; who has claimed a run is told."""

    async def test_waiting_and_ready_runs_end_as_cancelled_at_once(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("r"), a_run("w", state=RunState.WAITING))
        job = await read_job(adapter)
        plan = a_plan(the_next(job), cancel={"r": "newer", "w": "newest"})

        await commit(adapter, plan, now=at(3, us=1))

        for run_id, reason in plan.cancel.items():
            run = await read_run(adapter, run_id)
            assert run.state is RunState.FINISHED
            assert run.outcome is Outcome.CANCELLED
            assert run.cancel_reason == reason
            assert run.finished_at == at(3, us=1)
        assert await claim(adapter) == ()

    async def test_a_run_cancelled_at_once_is_counted(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("r"), a_run("w", state=RunState.WAITING))
        job = await read_job(adapter)

        plan = a_plan(the_next(job), cancel={"r": "newer", "w": "newer"})
        await commit(adapter, plan, now=at(3))

        stats = await read_stats(adapter)
        assert stats.counts == {Outcome.CANCELLED: 2}
        assert stats.last_finished_at == at(3)

    async def test_the_owner_of_a_claimed_run_is_told_and_the_run_goes_on(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await beat(adapter)
        (run,) = await insert(adapter, a_run(state=RunState.CLAIMED))
        job = await read_job(adapter)

        await commit(adapter, a_plan(the_next(job), cancel={"run": "newer"}))

        assert await read_run(adapter) == replace(run, cancel_reason="newer")
        assert (await read_stats(adapter)).counts == {}

    async def test_a_run_that_ended_and_one_that_is_unknown_are_left_alone(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        (run,) = await insert(adapter, a_run(state=RunState.FINISHED))
        job = await read_job(adapter)
        plan = a_plan(the_next(job), cancel={"run": "newer", "nobody": "newer"})

        await commit(adapter, plan)

        assert await read_run(adapter) == run
        assert (await read_stats(adapter)).counts == {}


class TestDropByPlan:
    """A plan may forget its job instead of writing it."""

    async def test_the_job_is_forgotten_with_its_history_and_statistics(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job(look_at=NOON))
        finished = a_run(state=RunState.FINISHED)
        await commit(adapter, a_plan(the_next(a_job()), finished, tallies=(a_tally(),)))
        job = await read_job(adapter)

        await commit(adapter, a_plan(the_next(job), is_drop=True))

        assert (await adapter.read_jobs(JobQuery())).items == ()
        assert await run_ids(adapter) == []
        assert (await read_stats(adapter)).runs == 0

    async def test_a_stale_plan_forgets_nothing(self, adapter: Adapter) -> None:
        job = the_next(a_job())
        await put(adapter, a_job(), job)

        plan = a_plan(the_next(a_job()), is_drop=True)

        assert await adapter.commit_plans([plan], now=NOON) == (STALE,)
        assert await read_job(adapter) == job

    async def test_a_job_that_was_forgotten_can_be_stored_anew(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job(look_at=NOON))
        await commit(adapter, a_plan(the_next(a_job()), is_drop=True))

        await put(adapter, a_job(look_at=NOON))

        assert await take_due_ids(adapter) == ["job"]
