"""`take_lost`: runs whose owner cannot end them any more, and who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.runs import Outcome, RunState
from nvent_sched.testing.conformance.builders import (
    a_job,
    a_release,
    a_run,
    at,
)
from nvent_sched.testing.conformance.steps import (
    beat,
    claim,
    finish,
    insert,
    put,
    settle,
    take_lost_ids,
)

if TYPE_CHECKING:
    from nvent_sched._model.claims import Lost
    from nvent_sched._model.runs import Run
    from nvent_sched._port import Adapter

DEAD_US = 20 * SECOND_US


async def runs_of(adapter: Adapter, *names: str, instance: str = "one") -> list[Run]:
    """Store CLAIMED runs of an instance, whose leases end at second 300."""
    runs = [a_run(name, state=RunState.CLAIMED, instance=instance) for name in names]
    return list(await insert(adapter, *runs))


async def take_lost(adapter: Adapter, *, now: Instant, limit: int = 100) -> Lost:
    """Find what is lost, if who is silent for more than twenty seconds is dead."""
    return await adapter.take_lost(now=now, dead_after_us=DEAD_US, limit=limit)


class TestTakeLost:
    """Find CLAIMED runs whose lease ended or whose instance is dead."""

    async def test_a_run_is_lost_when_its_lease_has_ended(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await beat(adapter)
        lease_until = at(300)
        (run,) = await insert(
            adapter, a_run(state=RunState.CLAIMED, lease_until=lease_until)
        )

        assert await take_lost_ids(adapter, now=Instant(lease_until - 1)) == []
        lost = await adapter.take_lost(
            now=lease_until, dead_after_us=900 * SECOND_US, limit=9
        )

        assert lost.now == lease_until
        assert lost.runs == (run,)
        assert lost.dead == ()

    async def test_a_run_of_a_living_instance_with_a_lease_is_not_lost(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await runs_of(adapter, "run")
        await beat(adapter, now=at(10))

        lost = await take_lost(adapter, now=at(30))

        assert (lost.runs, lost.dead) == ((), ())

    async def test_a_run_is_lost_when_its_instance_was_silent_for_too_long(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await runs_of(adapter, "run")
        await beat(adapter, now=at(10))

        lost = await take_lost(adapter, now=at(30, us=1))

        assert [run.id for run in lost.runs] == ["run"]
        assert lost.dead == ("one",)

    async def test_it_says_how_long_those_that_live_are_silent(
        self, adapter: Adapter
    ) -> None:
        for name, second in (("dead", 5), ("one", 10), ("two", 20)):
            await beat(adapter, name, now=at(second))

        lost = await take_lost(adapter, now=at(26))
        later = await take_lost(adapter, now=at(60))

        assert (lost.dead, lost.oldest_beat_at) == (("dead",), at(10))
        assert later.oldest_beat_at is None

    async def test_a_run_of_an_instance_that_is_not_listed_is_lost(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await runs_of(adapter, "run")
        await beat(adapter, "two")

        lost = await take_lost(adapter, now=at(1))

        assert [run.id for run in lost.runs] == ["run"]
        assert lost.dead == ()

    async def test_a_run_of_an_instance_that_left_is_lost(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await beat(adapter)
        await runs_of(adapter, "run")
        await adapter.leave("one", now=at(1))

        assert await take_lost_ids(adapter, now=at(1)) == ["run"]

    async def test_runs_that_are_not_claimed_are_never_lost(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        states = (RunState.WAITING, RunState.READY, RunState.FINISHED)
        await insert(adapter, *(a_run(each.value, state=each) for each in states))

        assert await take_lost_ids(adapter, now=at(9_999)) == []

    async def test_a_run_is_handed_out_again_until_it_is_settled(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        (run,) = await runs_of(adapter, "run")

        first = await take_lost_ids(adapter, now=at(301))
        second = await take_lost_ids(adapter, now=at(301))
        await finish(adapter, run, Outcome.LOST)
        third = await take_lost_ids(adapter, now=at(301))

        assert (first, second, third) == (["run"], ["run"], [])

    async def test_the_lease_that_ends_first_comes_first_then_the_id_decides(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        ends = {"c": 2, "b": 3, "a": 3, "d": 1}
        await insert(
            adapter,
            *(
                a_run(name, state=RunState.CLAIMED, lease_until=at(end))
                for name, end in ends.items()
            ),
        )

        assert await take_lost_ids(adapter, now=at(9)) == ["d", "c", "a", "b"]

    async def test_no_more_are_handed_out_than_asked_for(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await runs_of(adapter, *"abc")

        assert await take_lost_ids(adapter, now=at(1), limit=2) == ["a", "b"]

    async def test_a_claim_made_anew_by_a_living_instance_is_not_lost(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        (run,) = await runs_of(adapter, "run", instance="dead")
        await beat(adapter, "alive", now=at(400))
        await settle(adapter, a_release(run), now=at(400))

        await claim(adapter, instance="alive", now=at(400))

        assert await take_lost_ids(adapter, now=at(401)) == []


class TestTheDead:
    """Dead instances leave the list once none of their runs is left to hand out."""

    async def test_a_dead_instance_without_runs_leaves_the_list(
        self, adapter: Adapter
    ) -> None:
        await beat(adapter, "dead")
        await beat(adapter, "alive", now=at(90))

        lost = await take_lost(adapter, now=at(100))

        assert lost.dead == ("dead",)
        assert [each.id for each in await adapter.read_instances()] == ["alive"]

    async def test_it_is_told_dead_once(self, adapter: Adapter) -> None:
        await beat(adapter)
        await take_lost(adapter, now=at(100))

        assert (await take_lost(adapter, now=at(100))).dead == ()

    async def test_it_stays_listed_while_runs_are_left_to_hand_out(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await beat(adapter)
        first, *_ = await runs_of(adapter, *"abc")

        partly = await take_lost(adapter, now=at(100), limit=2)
        await finish(adapter, first, Outcome.LOST)
        rest = await take_lost(adapter, now=at(100), limit=2)

        assert (len(partly.runs), partly.dead) == (2, ())
        assert ([run.id for run in rest.runs], rest.dead) == (["b", "c"], ("one",))

    async def test_its_runs_stay_lost_after_it_left_the_list(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await beat(adapter)
        await runs_of(adapter, "run")
        await take_lost(adapter, now=at(100))

        assert [run.id for run in (await take_lost(adapter, now=at(100))).runs] == [
            "run"
        ]

    async def test_an_instance_that_is_heard_of_again_is_listed_again(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await beat(adapter)
        await runs_of(adapter, "run")
        await take_lost(adapter, now=at(100))

        await beat(adapter, now=at(101))

        lost = await take_lost(adapter, now=at(102))
        assert (lost.runs, lost.dead) == ((), ())
