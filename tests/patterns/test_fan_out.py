"""A fire reaches all of its subscribers in one step, or none; and none of them twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched._model.claims import Stale
from nvent_sched.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched import Scheduler
    from nvent_sched.testing import ManualClock
    from tests.patterns.conftest import Stores, Told

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MANY = 1_000


def subscribe(scheduler: Scheduler, heard: list[str], *, count: int) -> None:
    """Subscribe many that note who they are."""

    def hear_as(name: str) -> None:
        @scheduler.on("t", id=name)
        async def listen() -> None:
            heard.append(name)

    for number in range(count):
        hear_as(f"s{number:03}")


def after(adapter: Told, verb: str, then: Callable[[tuple[Any, ...]], None]) -> None:
    """Let something happen after a verb was answered."""
    asked = getattr(adapter, verb)

    async def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  passed on
        answer = await asked(*args, **kwargs)
        then(answer)
        return answer

    adapter.__dict__[verb] = call


@pytest.fixture
def heard() -> list[str]:
    """Who heard, in order."""
    return []


async def test_a_thousand_subscribers_get_a_fire_in_one_step(
    stores: Stores, clock: ManualClock, heard: list[str]
) -> None:
    adapter = stores.adapter()
    batches: list[int] = []
    after(adapter, "commit_plans", lambda verdicts: batches.append(len(verdicts)))
    # Nobody here has the handlers, so that what is delivered stays to be counted.
    async with stores.scheduler() as declares:
        declares.trigger("t")
        subscribe(declares, heard, count=MANY)
        await clock.run_until_idle()
    async with stores.scheduler(adapter) as scheduler:
        fire = await scheduler.fire("t")
        await clock.advance(SECOND)
        ended = await scheduler.wait_for(fire)
        ready = await scheduler.runs(state="ready", limit=2 * MANY)

    assert ended.result == {"delivered": MANY, "skipped": 0}
    assert batches.count(MANY) == 1
    assert len({run.job_id for run in ready}) == len(ready) == MANY


async def test_an_answer_that_is_lost_after_the_step_delivers_nothing_twice(
    stores: Stores, clock: ManualClock, heard: list[str]
) -> None:
    adapter = stores.adapter()
    lost: list[int] = []

    def lose(verdicts: tuple[Any, ...]) -> None:
        if len(verdicts) == 50 and not lost:
            lost.append(1)
            msg = "the line broke"
            raise StoreUnavailableError(msg)

    after(adapter, "commit_plans", lose)
    async with stores.scheduler(adapter) as scheduler:
        scheduler.trigger("t")
        subscribe(scheduler, heard, count=50)
        await clock.run_until_idle()
        fire = await scheduler.fire("t")
        await clock.advance(10 * SECOND)
        ended = await scheduler.wait_for(fire)
        (seen,) = await scheduler.triggers()

    assert lost == [1]
    assert (ended.outcome, ended.attempt) == ("succeeded", 2)
    assert sorted(heard) == [f"s{number:03}" for number in range(50)]
    assert (seen.fired, seen.delivered) == (1, 50)


async def test_one_that_changes_at_the_wrong_moment_holds_up_all_but_not_for_ever(
    stores: Stores, clock: ManualClock, heard: list[str]
) -> None:
    adapter = stores.adapter()
    tried: list[int] = []
    real = adapter.commit_plans

    async def refuse(plans: Any, *, now: Any, is_whole: bool = False) -> Any:  # noqa: ANN401  passed on
        if is_whole:
            tried.append(len(plans))
            return (Stale(),) * len(plans)
        return await real(plans, now=now)

    adapter.__dict__["commit_plans"] = refuse
    async with stores.scheduler(adapter) as scheduler:
        scheduler.trigger("t")
        subscribe(scheduler, heard, count=5)
        await clock.run_until_idle()
        await scheduler.fire("t")
        await clock.advance(SECOND)

    assert len(tried) > 10
    assert sorted(heard) == [f"s{number:03}" for number in range(5)]


async def test_an_instance_that_dies_before_it_hands_a_fire_on_is_replaced(
    stores: Stores, clock: ManualClock, heard: list[str]
) -> None:
    doomed = stores.adapter()

    def die(claims: Any) -> None:  # noqa: ANN401  what `begin` answers
        if claims.runs:
            doomed.is_gone = True

    async with stores.scheduler(doomed) as scheduler:
        scheduler.trigger("t")
        subscribe(scheduler, heard, count=5)
        await clock.run_until_idle()
        after(doomed, "begin", die)
        fire = await scheduler.fire("t")
        await clock.run_until_idle()
    clock.jump(timedelta(hours=3))
    async with stores.scheduler() as other:
        left = await other.get_run(fire)
        subscribe(other, heard, count=5)
        await clock.advance(MINUTE)
        ended = await other.wait_for(fire)

    assert doomed.is_gone
    assert left.state != "finished"
    assert ended.result == {"delivered": 5, "skipped": 0}
    assert sorted(heard) == [f"s{number:03}" for number in range(5)]
