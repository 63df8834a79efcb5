"""`read_facts`: what a plan needs to know of a job, due or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.claims import LiveRun
from nvent_sched._model.runs import Outcome, RunState
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    NOON,
    a_job,
    a_plan,
    a_run,
    a_tally,
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
)

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestReadFacts:
    """What a plan needs, due or not."""

    async def test_facts_are_read_in_the_order_asked_for_and_unknown_ids_left_out(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job("a"), a_job("b", look_at=at(1)))

        facts = await adapter.read_facts(["b", "nobody", "a"])

        assert [due.job.id for due in facts] == ["b", "a"]
        assert facts[0].job == await read_job(adapter, "b")

    async def test_live_runs_are_listed_oldest_first_then_by_id(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job(look_at=NOON), a_job("other"))
        await insert(
            adapter,
            a_run("c", scheduled=at(1), state=RunState.WAITING),
            a_run("b", scheduled=at(0), state=RunState.CLAIMED),
            a_run("a", scheduled=at(1)),
            a_run("d", scheduled=at(-1), state=RunState.FINISHED),
        )
        await insert(adapter, a_run("e", job_id="other"))

        (facts,) = await adapter.read_facts(["job"])
        batch = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)

        assert [run.id for run in facts.live] == ["b", "a", "c"]
        assert batch.jobs == (facts,)

    async def test_a_live_run_says_its_state_its_times_and_whether_it_is_cancelled(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run(state=RunState.CLAIMED, scheduled=at(2, us=3)))
        await adapter.cancel_runs(["run"], reason="enough", now=NOON)

        (facts,) = await adapter.read_facts(["job"])

        assert facts.live == (
            LiveRun(
                id="run",
                state=RunState.CLAIMED,
                scheduled_time=at(2, us=3),
                due_time=at(2, us=3),
                is_cancelled=True,
            ),
        )

    async def test_a_job_without_an_ended_run_has_no_last_end(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        skipped = a_run("skipped", state=RunState.FINISHED, outcome=Outcome.MISSED)
        await insert(adapter, skipped, a_run())

        (facts,) = await adapter.read_facts(["job"])

        assert facts.last_finished_at is None

    async def test_the_last_end_is_that_of_the_last_run_that_ended(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("a"), a_run("b"))
        first, second = await claim(adapter)
        await finish(adapter, first, now=at(3))
        await finish(adapter, second, now=at(5, us=1))

        (facts,) = await adapter.read_facts(["job"])

        assert facts.last_finished_at == at(5, us=1)
        assert facts.live == ()

    async def test_a_skipped_occurrence_is_not_the_end_of_a_run(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)
        await finish(adapter, run, now=at(3))
        (facts,) = await adapter.read_facts(["job"])
        missed = a_run(
            "m", state=RunState.FINISHED, outcome=Outcome.MISSED, finished_at=at(9)
        )
        miss = a_tally(Outcome.MISSED, finished_at=at(9))

        await commit(adapter, a_plan(the_next(facts.job), missed, tallies=(miss,)))

        (facts,) = await adapter.read_facts(["job"])
        assert facts.last_finished_at == at(3)
