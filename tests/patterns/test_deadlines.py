"""Work is cancelled at a stored moment, however often it was begun anew."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest

from nvent_sched import OneTime, Retry, Scheduler
from nvent_sched.errors import (
    DeadlineError,
    NotRunningError,
    StoreUnavailableError,
    UsageError,
)
from tests.patterns.conftest import START, stored_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from nvent_sched.testing import ManualClock
    from tests.patterns.conftest import Gathering, Stores

    Gathered = Callable[[], AbstractAsyncContextManager[Gathering]]

SECOND, MINUTE, HOUR = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours")
)


async def limited(
    scheduler: Scheduler, clock: ManualClock, *, work: timedelta, seconds: float
) -> str:
    """Work for so long, within a limit."""
    async with scheduler.deadline("key", seconds=seconds):
        await clock.sleep(work)
    return "done"


async def ids_of(scheduler: Scheduler) -> list[str]:
    return list(await stored_in(scheduler))


async def test_work_that_ends_in_time_leaves_nothing_behind(
    scheduler: Scheduler, clock: ManualClock, gathered: Gathered
) -> None:
    async with gathered() as tasks:
        tasks.add(partial(limited, scheduler, clock, work=50 * SECOND, seconds=60))
        await clock.run_until_idle()
        during = await ids_of(scheduler)
        await clock.advance(MINUTE)

    assert tasks.ended == ["done"]
    assert (during, await ids_of(scheduler)) == (["deadline:key"], [])


async def test_work_that_takes_longer_is_cancelled_at_the_moment(
    scheduler: Scheduler, clock: ManualClock, gathered: Gathered
) -> None:
    async with gathered() as tasks:
        tasks.add(partial(limited, scheduler, clock, work=HOUR, seconds=60))
        await clock.advance(59 * SECOND)
        during = list(tasks.ended)
        await clock.advance(SECOND)
        (ended,) = tasks.ended

    assert during == []
    assert isinstance(ended, DeadlineError)
    assert isinstance(ended, TimeoutError)
    assert "'key' was 2026-03-02T12:01:00+00:00" in str(ended)


async def test_what_is_begun_anew_has_only_the_rest(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async with stores.scheduler() as first, gathered() as tasks:
        tasks.add(partial(limited, first, clock, work=HOUR, seconds=60))
        await clock.advance(40 * SECOND)
        await first.stop()
    async with stores.scheduler() as second, gathered() as more:
        more.add(partial(limited, second, clock, work=HOUR, seconds=60))
        await clock.advance(20 * SECOND)
        ended_at = clock.moment
        begun: list[str] = []
        with pytest.raises(DeadlineError):
            async with second.deadline("key", minutes=1):
                begun.append("again")

    assert isinstance(tasks.ended[0], NotRunningError)
    assert isinstance(more.ended[0], DeadlineError)
    assert (ended_at, begun) == (START + MINUTE, [])


async def test_a_run_that_is_tried_again_has_only_the_rest(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def work() -> None:
        async with scheduler.deadline("key", seconds=25):
            await clock.sleep(10 * SECOND)
            msg = "broken"
            raise OSError(msg)

    retry = Retry(attempts=5, delay=timedelta(), jitter=0.0)
    await scheduler.schedule(work, OneTime(in_=SECOND), id="w", retry=retry)
    await clock.advance(MINUTE)

    (run,) = await scheduler.runs("w")
    errors = [str(each.error).strip().splitlines()[-1] for each in run.attempts]
    assert ["DeadlineError" in each for each in errors] == [False, False, True, True]


async def test_an_error_of_the_body_is_its_own_and_the_moment_stays(
    scheduler: Scheduler,
) -> None:
    with pytest.raises(LookupError):
        async with scheduler.deadline("key", minutes=1):
            raise LookupError

    assert await ids_of(scheduler) == ["deadline:key"]


async def test_a_body_that_is_cancelled_from_outside_stays_cancelled(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    after: list[str] = []
    with anyio.CancelScope() as outside:
        async with scheduler.deadline("key", minutes=1) as limit:
            outside.cancel()
            await clock.sleep(HOUR)
        after.append("went on")

    assert (after, limit.left) == ([], MINUTE)
    assert await ids_of(scheduler) == ["deadline:key"]


async def test_the_moment_can_be_said_outright(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async with scheduler.deadline("key", until=START + HOUR) as limit:
        assert (limit.at, limit.left) == (START + HOUR, HOUR)
        await clock.advance(MINUTE)
        assert limit.left == HOUR - MINUTE


async def test_a_jump_of_25_hours_ends_the_work_at_once(
    scheduler: Scheduler, clock: ManualClock, gathered: Gathered
) -> None:
    async with gathered() as tasks:
        tasks.add(partial(limited, scheduler, clock, work=HOUR, seconds=86_400))
        await clock.run_until_idle()
        clock.jump(timedelta(hours=25))
        await clock.run_until_idle()

    assert [type(each) for each in tasks.ended] == [DeadlineError]


async def test_a_moment_is_kept_also_while_the_store_is_out_of_reach(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as scheduler:
        async with gathered() as tasks:
            tasks.add(partial(limited, scheduler, clock, work=HOUR, seconds=5))
            await clock.run_until_idle()
            adapter.is_gone = True
            await clock.advance(5 * SECOND)
            in_time = list(tasks.ended)
            with pytest.raises(StoreUnavailableError):
                async with scheduler.deadline("other", seconds=1):
                    pass
        adapter.is_gone = False

    assert [type(each) for each in in_time] == [DeadlineError]


async def test_what_ended_well_is_forgotten_once_the_store_is_back(
    stores: Stores, clock: ManualClock
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as scheduler:
        async with scheduler.deadline("key", hours=1):
            adapter.is_gone = True
        adapter.is_gone = False
        await clock.advance(20 * SECOND)

        assert await ids_of(scheduler) == []


async def test_a_moment_that_nobody_heeds_any_more_is_finished_and_forgotten(
    stores: Stores, clock: ManualClock
) -> None:
    async with stores.scheduler(history_success=MINUTE) as scheduler:
        with pytest.raises(LookupError):
            async with scheduler.deadline("key", seconds=10):
                raise LookupError
        await clock.advance(2 * MINUTE)

        assert await ids_of(scheduler) == []


async def test_a_deadline_object_is_entered_once(scheduler: Scheduler) -> None:
    limit = scheduler.deadline("key", minutes=1)
    with pytest.raises(UsageError, match="once it was entered"):
        _ = limit.at
    async with limit:
        pass
    with pytest.raises(UsageError, match="make another one"):
        async with limit:
            pass


async def test_a_moment_is_said_in_one_way() -> None:
    async with Scheduler("memory:") as scheduler:
        with pytest.raises(UsageError, match="not both"):
            scheduler.deadline("key", minutes=1, until=START)
        with pytest.raises(UsageError, match="how long"):
            scheduler.deadline("key")
