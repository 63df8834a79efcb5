"""A job that waits for the end of a run is looked at, whatever comes in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.runs import RunState
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    a_job,
    a_plan,
    a_release,
    a_run,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    a_claim,
    claim,
    commit,
    finish,
    insert,
    put,
    read_job,
    settle,
    take_due_ids,
)

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestLooksOnFinish:
    """A run that ends makes the store look at its job, if the job wants that."""

    async def test_the_job_is_due_at_once(self, adapter: Adapter) -> None:
        run = await a_claim(adapter, looks_on_finish=True)

        await finish(adapter, run, now=at(4))

        assert await take_due_ids(adapter, now=at(4)) == ["job"]

    async def test_a_look_that_was_far_comes_near(self, adapter: Adapter) -> None:
        run = await a_claim(adapter, looks_on_finish=True, look_at=at(900))

        await finish(adapter, run, now=at(4))

        batch = await adapter.take_due(now=at(4), handlers=[HANDLER], limit=9)
        assert [due.job.look_at for due in batch.jobs] == [at(4)]

    async def test_a_look_that_is_overdue_stays_so(self, adapter: Adapter) -> None:
        run = await a_claim(adapter, looks_on_finish=True, look_at=at(-9))

        await finish(adapter, run, now=at(4))

        assert (await read_job(adapter)).look_at == at(-9)

    async def test_a_job_that_does_not_want_it_is_left_alone(
        self, adapter: Adapter
    ) -> None:
        run = await a_claim(adapter)
        job = await read_job(adapter)

        await finish(adapter, run, now=at(4))

        assert await read_job(adapter) == job
        assert await take_due_ids(adapter, now=at(9)) == []

    async def test_a_run_that_gets_another_attempt_has_not_ended(
        self, adapter: Adapter
    ) -> None:
        run = await a_claim(adapter, looks_on_finish=True)

        await settle(adapter, a_release(run), now=at(4))

        assert await take_due_ids(adapter, now=at(9)) == []


class TestNothingIsForgotten:
    """A job that waits for the end of a run is looked at, whatever comes in between."""

    async def test_a_plan_decided_before_a_run_ended_does_not_swallow_the_look(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job(looks_on_finish=True))
        await insert(adapter, a_run("going"), a_run("waits", state=RunState.WAITING))
        (run,) = await claim(adapter)
        (facts,) = await adapter.read_facts(["job"])
        await finish(adapter, run, now=at(1))

        plan = a_plan(the_next(facts.job, looks_on_finish=True))
        await adapter.commit_plans([plan], now=at(2))

        assert await take_due_ids(adapter, now=at(2)) == ["job"]

    async def test_it_does_not_swallow_the_look_while_other_runs_are_going(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job(looks_on_finish=True))
        going = (a_run("a"), a_run("b"))
        await insert(adapter, *going, a_run("waits", state=RunState.WAITING))
        first, _ = await claim(adapter)
        (facts,) = await adapter.read_facts(["job"])
        await finish(adapter, first, now=at(1))

        plan = a_plan(the_next(facts.job, looks_on_finish=True))
        await adapter.commit_plans([plan], now=at(2))

        assert await take_due_ids(adapter, now=at(2)) == ["job"]

    async def test_a_plan_that_waits_for_a_run_that_has_ended_is_looked_at_again(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("going"))
        (run,) = await claim(adapter)
        (facts,) = await adapter.read_facts(["job"])
        await finish(adapter, run, now=at(1))
        behind = a_run("waits", state=RunState.WAITING)

        plan = a_plan(the_next(facts.job, looks_on_finish=True), behind)
        await adapter.commit_plans([plan], now=at(2))

        assert await take_due_ids(adapter, now=at(2)) == ["job"]

    async def test_a_plan_that_cancels_what_it_waits_for_is_looked_at_again(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("old"))
        job = await read_job(adapter)
        behind = a_run("new", state=RunState.WAITING)

        plan = a_plan(
            the_next(job, looks_on_finish=True), behind, cancel={"old": "newer"}
        )
        await commit(adapter, plan, now=at(2))

        assert await take_due_ids(adapter, now=at(2)) == ["job"]

    async def test_a_plan_that_ends_one_run_of_several_is_looked_at_again(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        going = a_run("going", state=RunState.CLAIMED)
        await insert(adapter, going, a_run("ready"))
        job = await read_job(adapter)
        behind = a_run("waits", state=RunState.WAITING)

        plan = a_plan(
            the_next(job, looks_on_finish=True), behind, cancel={"ready": "newer"}
        )
        await commit(adapter, plan, now=at(2))

        assert await take_due_ids(adapter, now=at(2)) == ["job"]

    async def test_a_plan_that_waits_for_a_run_that_is_going_is_not_looked_at(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("going", state=RunState.CLAIMED))
        job = await read_job(adapter)
        behind = a_run("waits", state=RunState.WAITING)

        await commit(adapter, a_plan(the_next(job, looks_on_finish=True), behind))

        assert await take_due_ids(adapter, now=at(9)) == []

    async def test_a_plan_that_waits_for_a_run_it_starts_itself_is_not_looked_at(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        job = await read_job(adapter)
        started = a_run("going", state=RunState.CLAIMED)

        await commit(adapter, a_plan(the_next(job, looks_on_finish=True), started))

        assert await take_due_ids(adapter, now=at(9)) == []
