"""Fencing tokens: an integer that only grows, given with each claim."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvent_sched._model.claims import Committed
from nvent_sched._model.runs import RunState
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_plan,
    a_run,
    an_end,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    claim,
    commit,
    finish,
    insert,
    put,
    read_job,
    read_run,
    run_ids,
    settle,
)

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestFences:
    """Fencing tokens only grow; a CLAIMED run that is inserted gets one."""

    async def test_each_claimed_run_gets_a_token_and_no_other_does(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        runs = [a_run(state.value, state=state) for state in RunState]

        fences = await commit(adapter, a_plan(the_next(a_job()), *runs))

        given = dict(zip(RunState, fences, strict=True))
        assert given.pop(RunState.CLAIMED) > 0
        assert set(given.values()) == {0}

    async def test_the_token_is_stored_with_the_run(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        run = a_run(state=RunState.CLAIMED, instance="me", lease_until=at(7, us=1))

        (fence,) = await commit(adapter, a_plan(the_next(a_job()), run))

        assert await read_run(adapter) == replace(run, fence=fence)

    async def test_tokens_grow_across_jobs_plans_and_claims(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job("a"), a_job("b"))
        claimed = RunState.CLAIMED
        plan = a_plan(
            the_next(a_job("a")),
            a_run("a1", job_id="a", state=claimed),
            a_run("a2", job_id="a", state=claimed),
        )
        seen = [*await commit(adapter, plan)]
        await insert(adapter, a_run("b1", job_id="b"), a_run("b2", job_id="b"))

        seen += [run.fence for run in await claim(adapter)]
        (facts,) = await adapter.read_facts(["b"])
        last = a_run("b3", job_id="b", state=claimed)
        seen += await commit(adapter, a_plan(the_next(facts.job), last))

        assert len(seen) == 5
        assert seen == sorted(set(seen))

    async def test_a_run_that_is_claimed_again_gets_a_higher_token(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (first,) = await claim(adapter, request_id="first")
        released = replace(
            an_end(first),
            run=replace(a_run(), fence=first.fence, attempt=2),
        )
        await settle(adapter, released)

        (second,) = await claim(adapter, request_id="second")

        assert second.fence > first.fence

    async def test_a_run_whose_id_exists_is_left_alone_and_gets_no_token(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        (stored,) = await insert(adapter, a_run(state=RunState.CLAIMED, instance="one"))
        job = await read_job(adapter)
        again = a_run(state=RunState.CLAIMED, instance="two", lease_until=at(900))

        fences = await commit(adapter, a_plan(the_next(job), again, a_run("new")))

        assert fences == (0, 0)
        assert await read_run(adapter) == stored
        assert await run_ids(adapter) == ["new", "run"]

    async def test_a_run_that_ended_is_not_started_again(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)
        ended = await finish(adapter, run)
        job = await read_job(adapter)

        plan = a_plan(the_next(job), a_run(state=RunState.CLAIMED))

        assert await commit(adapter, plan) == (0,)
        assert await read_run(adapter) == ended

    async def test_of_two_plans_with_one_run_id_in_a_batch_one_inserts_it(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job("a"), a_job("b"))
        plans = [
            a_plan(the_next(a_job(name)), a_run(job_id=name, state=RunState.CLAIMED))
            for name in "ab"
        ]

        first, second = await adapter.commit_plans(plans, now=NOON)

        assert isinstance(first, Committed)
        assert first.fences[0] > 0
        assert second == Committed(fences=(0,))
        assert (await read_run(adapter)).job_id == "a"
