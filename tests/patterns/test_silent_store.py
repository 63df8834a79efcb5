"""A store that answers nothing, not even with an error: what has a time keeps it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from nvent_sched.errors import DeadlineError, LockLostError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from nvent_sched import Scheduler
    from nvent_sched.testing import ManualClock
    from tests.patterns.conftest import Gathering, Stores, Told

    Gathered = Callable[[], AbstractAsyncContextManager[Gathering]]

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def adapter(stores: Stores) -> Told:
    return stores.adapter()


@pytest.fixture
async def scheduler(
    stores: Stores, adapter: Told, clock: ManualClock
) -> AsyncIterator[Scheduler]:
    # A call that is under way keeps the clock waiting, for so many seconds of real time.
    clock.patience = 0.01
    async with stores.scheduler(adapter) as started:
        yield started
        adapter.go_on()


async def test_a_wait_ends_on_time(
    scheduler: Scheduler, adapter: Told, clock: ManualClock, gathered: Gathered
) -> None:
    async with gathered() as tasks:
        for seconds in (3, 5):
            tasks.add(partial(scheduler.sleep, f"key{seconds}", seconds=seconds))
        await clock.run_until_idle()
        adapter.fall_silent()
        await clock.advance(10 * SECOND)
        ended = list(tasks.ended)
        adapter.go_on()

    assert [each.lateness for each in ended] == [timedelta()] * 2


async def test_a_deadline_is_kept(
    scheduler: Scheduler, adapter: Told, clock: ManualClock, gathered: Gathered
) -> None:
    async def work() -> None:
        async with scheduler.deadline("key", seconds=3):
            await clock.sleep(HOUR)

    async with gathered() as tasks:
        tasks.add(work)
        await clock.run_until_idle()
        adapter.fall_silent()
        await clock.advance(3 * SECOND)
        ended = list(tasks.ended)
        adapter.go_on()

    assert [type(each) for each in ended] == [DeadlineError]


async def test_a_lock_is_lost_in_time_and_its_end_waits_for_nobody_for_long(
    scheduler: Scheduler, adapter: Told, clock: ManualClock, gathered: Gathered
) -> None:
    async def work(length: timedelta) -> None:
        async with scheduler.lock(f"for {length}", ttl=10 * SECOND):
            await clock.sleep(length)

    async with gathered() as tasks:
        tasks.add(partial(work, HOUR))
        tasks.add(partial(work, SECOND))
        await clock.run_until_idle()
        adapter.fall_silent()
        await clock.advance(2.9 * SECOND)
        at_first = list(tasks.ended)
        await clock.advance(0.2 * SECOND)
        released = list(tasks.ended)
        await clock.advance(8 * SECOND)
        ended = list(tasks.ended)
        adapter.go_on()

    assert (at_first, released) == ([], [None])
    assert [type(each) for each in ended] == [type(None), LockLostError]
