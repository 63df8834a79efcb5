"""Locks: one holder at a time, told at once when it is one no more."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest

from nvent_sched import Scheduler
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.errors import (
    LockLostError,
    LockTimeoutError,
    NotRunningError,
    StoreUnavailableError,
    UsageError,
)
from tests.patterns.conftest import START

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.locks import LockAnswers, LockAsk
    from nvent_sched.testing import ManualClock
    from tests.patterns.conftest import Gathering, Stores

    Gathered = Callable[[], AbstractAsyncContextManager[Gathering]]

NOTHING, SECOND, MINUTE = timedelta(), timedelta(seconds=1), timedelta(minutes=1)
TTL = 10 * SECOND


class Log(list[str]):
    """Who had it, in order; two at a time are an error."""

    inside = 0

    async def hold(
        self, scheduler: Scheduler, clock: ManualClock, who: str, length: timedelta
    ) -> int:
        async with scheduler.lock("it", ttl=TTL) as lock:
            assert self.inside == 0, "two at a time"
            self.inside += 1
            try:
                self.append(who)
                await clock.sleep(length)
            finally:
                self.inside -= 1
        return lock.fencing_token


async def test_a_lock_is_listed_while_it_is_held(scheduler: Scheduler) -> None:
    async with scheduler.lock("it", ttl=TTL) as lock:
        (held,) = await scheduler.locks()

    assert held.name == "it"
    assert held.holder == scheduler.instance_id
    assert held.fencing_token == lock.fencing_token
    assert (held.since, held.until) == (START, START + TTL)
    assert await scheduler.locks() == ()


async def test_it_is_renewed_for_as_long_as_it_is_held(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async with scheduler.lock("it", ttl=TTL) as lock:
        await clock.advance(3 * MINUTE)
        lock.check()
        (held,) = await scheduler.locks()

    assert held.until > clock.moment


async def test_many_locks_are_renewed_in_one_call(
    stores: Stores, clock: ManualClock
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as scheduler:
        held = [scheduler.lock(f"lock{number}", ttl=TTL) for number in range(20)]
        for lock in held:
            await lock.__aenter__()
        await clock.advance(TTL / 2)
        renewals = adapter.calls["renew_locks"]
        for lock in reversed(held):
            await lock.__aexit__(None, None, None)

    assert renewals == 1


async def test_those_who_want_it_get_it_in_the_order_in_which_they_asked(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    log = Log()
    async with (
        stores.scheduler() as one,
        stores.scheduler() as other,
        gathered() as tasks,
    ):
        for number in range(8):
            wants = one if number % 2 else other
            tasks.add(partial(log.hold, wants, clock, str(number), 3 * SECOND))
            await clock.advance(SECOND / 10)
        await clock.advance(MINUTE)

    assert log == ["0", "1", "2", "3", "4", "5", "6", "7"]
    assert tasks.ended == sorted(set(tasks.ended)), "a token does not grow"


async def test_who_waits_in_the_same_instance_gets_it_at_once(
    scheduler: Scheduler, clock: ManualClock, gathered: Gathered
) -> None:
    log = Log()
    async with gathered() as tasks:
        for who in "ab":
            tasks.add(partial(log.hold, scheduler, clock, who, SECOND))
            await clock.run_until_idle()
        await clock.advance(SECOND)
        assert log == ["a", "b"]
        await clock.advance(SECOND)


class SlowAnswers(MemoryAdapter):
    """A store whose answers about locks can be held up, and that gives no hints."""

    def __init__(self) -> None:
        super().__init__()
        self.may_arrive = anyio.Event()
        self.may_arrive.set()

    async def acquire_locks(
        self, asks: Sequence[LockAsk], *, now: Instant
    ) -> LockAnswers:
        answers = await super().acquire_locks(asks, now=now)
        await self.may_arrive.wait()
        return answers

    def on_hint(self, hint: Callable[[], None]) -> None:
        del hint


async def test_an_answer_that_is_older_than_the_release_keeps_nobody_waiting(
    clock: ManualClock, gathered: Gathered
) -> None:
    store, log = SlowAnswers(), Log()
    clock.patience = 0.02
    async with Scheduler(store, clock=clock) as scheduler, gathered() as tasks:
        for who in "ab":
            tasks.add(partial(log.hold, scheduler, clock, who, SECOND))
            await clock.run_until_idle()
            await clock.advance(SECOND / 20)
        await clock.advance(SECOND * 8 / 10)
        store.may_arrive = anyio.Event()
        await clock.advance(SECOND / 10)  # "b" asks, and then "a" gives it back
        assert log == ["a"]
        store.may_arrive.set()
        await clock.run_until_idle()
        assert log == ["a", "b"]
        await clock.advance(SECOND)


async def test_who_does_not_want_to_wait_is_told_who_has_it(
    stores: Stores, clock: ManualClock
) -> None:
    async with stores.scheduler() as one, stores.scheduler() as other:
        holder = one.instance_id
        async with one.lock("it", ttl=TTL):
            with pytest.raises(LockTimeoutError, match=one.instance_id) as told:
                async with other.lock("it", wait=NOTHING):
                    pass
        async with other.lock("it", wait=NOTHING):
            pass

    assert isinstance(told.value, TimeoutError)
    assert (told.value.name, told.value.holder) == ("it", holder)
    assert clock.moment == START


async def test_who_waited_in_vain_leaves_no_place_behind(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async def attempt(scheduler: Scheduler) -> None:
        async with scheduler.lock("it", wait=3 * SECOND):
            pass

    async with stores.scheduler() as one, stores.scheduler() as other:
        async with one.lock("it", ttl=TTL), gathered() as tasks:
            tasks.add(partial(attempt, other))
            await clock.advance(2 * SECOND)
            during = (list(tasks.ended), (await one.locks())[0].waiters)
            await clock.advance(SECOND)
            after = (await one.locks())[0].waiters
        async with one.lock("it", wait=NOTHING):
            pass

    assert (during, after) == (([], 1), 0)
    assert [type(each) for each in tasks.ended] == [LockTimeoutError]


async def test_who_is_cancelled_while_waiting_leaves_no_place_behind(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def attempt() -> None:
        async with scheduler.lock("it"):
            pytest.fail("it is held")

    async with scheduler.lock("it", ttl=TTL), anyio.create_task_group() as tasks:
        tasks.start_soon(attempt)
        await clock.advance(SECOND)
        before = (await scheduler.locks())[0].waiters
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await clock.run_until_idle()
            after = (await scheduler.locks())[0].waiters

    assert (before, after) == (1, 0)


async def test_who_cannot_renew_is_cancelled_before_anybody_else_may_have_it(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    log = Log()
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as one, stores.scheduler() as other:
        async with gathered() as tasks:
            tasks.add(partial(log.hold, one, clock, "one", MINUTE))
            await clock.run_until_idle()
            tasks.add(partial(log.hold, other, clock, "other", SECOND))
            await clock.run_until_idle()
            adapter.is_gone = True
            await clock.advance(TTL * 0.89)
            before = list(tasks.ended)
            await clock.advance(TTL * 0.02)
            (lost,) = tasks.ended
            alone = list(log)
            await clock.advance(TTL)
        adapter.is_gone = False

    assert (before, alone, log) == ([], ["one"], ["one", "other"])
    assert isinstance(lost, LockLostError)
    assert tasks.ended[1] > lost.fence


async def test_a_store_that_is_gone_for_a_while_costs_nobody_the_lock(
    stores: Stores, clock: ManualClock
) -> None:
    adapter = stores.adapter()
    async with (
        stores.scheduler(adapter) as scheduler,
        scheduler.lock("it", ttl=30 * SECOND) as lock,
    ):
        await clock.advance(14 * SECOND)
        adapter.is_gone = True
        await clock.advance(10 * SECOND)
        adapter.is_gone = False
        await clock.advance(MINUTE)
        lock.check()


async def test_what_was_taken_by_another_is_lost_as_soon_as_that_is_known(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    """The clock of a file jumps: what ends by it has ended."""
    log = Log()
    async with (
        stores.scheduler() as one,
        stores.scheduler() as other,
        gathered() as tasks,
    ):
        tasks.add(partial(log.hold, one, clock, "one", MINUTE))
        await clock.run_until_idle()
        clock.jump(timedelta(hours=25))
        await clock.run_until_idle()
        tasks.add(other.lock("it", wait=NOTHING).acquire)
        await clock.advance(2 * MINUTE)

    assert log == ["one"]
    assert isinstance(tasks.ended[0], LockTimeoutError)
    assert isinstance(tasks.ended[1], int), "it was renewed at once and kept"


async def test_a_lock_is_given_back_after_an_error_and_the_error_stays(
    scheduler: Scheduler,
) -> None:
    with pytest.raises(LookupError):
        async with scheduler.lock("it"):
            raise LookupError

    assert await scheduler.locks() == ()


async def test_a_lock_is_given_back_when_the_body_is_cancelled(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    after: list[str] = []
    with anyio.CancelScope() as outside:
        async with scheduler.lock("it"):
            outside.cancel()
            await clock.sleep(MINUTE)
        after.append("went on")

    assert (after, await scheduler.locks()) == ([], ())


async def test_what_cannot_be_given_back_now_is_given_back_later(
    stores: Stores, clock: ManualClock
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as scheduler:
        async with scheduler.lock("it", ttl=MINUTE):
            adapter.is_gone = True
        adapter.is_gone = False
        await clock.advance(11 * SECOND)

        assert await scheduler.locks() == ()


async def test_a_lock_that_cannot_be_asked_for_is_an_error_of_the_store(
    stores: Stores,
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as scheduler:
        adapter.is_gone = True
        with pytest.raises(StoreUnavailableError):
            async with scheduler.lock("it"):
                pass
        adapter.is_gone = False


async def test_who_waits_goes_on_waiting_while_the_store_is_gone(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    log, adapter = Log(), stores.adapter()
    async with (
        stores.scheduler() as one,
        stores.scheduler(adapter) as other,
        gathered() as tasks,
    ):
        tasks.add(partial(log.hold, one, clock, "one", 15 * SECOND))
        await clock.run_until_idle()
        tasks.add(partial(log.hold, other, clock, "other", SECOND))
        await clock.advance(SECOND)
        adapter.is_gone = True
        await clock.advance(10 * SECOND)
        adapter.is_gone = False
        await clock.advance(6 * SECOND)

    assert log == ["one", "other"]
    assert all(isinstance(each, int) for each in tasks.ended)


async def test_a_scheduler_that_stops_ends_what_is_held_and_what_is_wanted(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    log = Log()
    async with stores.scheduler() as scheduler, gathered() as tasks:
        for who in "ab":
            tasks.add(partial(log.hold, scheduler, clock, who, MINUTE))
            await clock.run_until_idle()
        await scheduler.stop()
        await clock.run_until_idle()

    kinds = {type(each) for each in tasks.ended}
    assert (log, kinds) == (["a"], {LockLostError, NotRunningError})


async def test_locks_that_nobody_wants_cost_nothing(
    stores: Stores, clock: ManualClock
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter, runs_handlers=False) as scheduler:
        async with scheduler.lock("it", ttl=TTL):
            pass
        before = adapter.calls.copy()
        await clock.advance(MINUTE)
        after = adapter.calls.copy()

    assert after == before


async def test_a_lock_object_is_entered_once_at_a_time(scheduler: Scheduler) -> None:
    lock = scheduler.lock("it")
    with pytest.raises(UsageError, match="was not entered"):
        lock.check()
    async with lock:
        first = lock.fencing_token
        assert not lock.is_lost
        with pytest.raises(UsageError, match="make another one"):
            await lock.__aenter__()
    async with lock:
        assert lock.fencing_token > first


async def test_the_longest_lock_is_listed_and_free_once_it_is_given_back(
    scheduler: Scheduler,
) -> None:
    async with scheduler.lock("it", ttl=timedelta(days=36_525)):
        assert [lock.name for lock in await scheduler.locks()] == ["it"]

    async with scheduler.lock("it", ttl=TTL, wait=NOTHING):
        pass


async def test_a_lock_that_makes_no_sense_is_refused(scheduler: Scheduler) -> None:
    with pytest.raises(UsageError, match="at least"):
        scheduler.lock("it", ttl=NOTHING)
    with pytest.raises(UsageError, match="ttl must be at most 100 years"):
        scheduler.lock("it", ttl=timedelta.max)
    with pytest.raises(UsageError, match="a lock's name"):
        scheduler.lock("")
    with pytest.raises(UsageError, match="wait"):
        scheduler.lock("it", wait=-SECOND)
    with pytest.raises(UsageError, match="limit"):
        await scheduler.locks(limit=0)
