"""Work that gives no sign of life: noticed once, by whoever is alive, and told."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.to_thread import run_sync

from nvent_sched import OneTime, Retry, RunContext, Scheduler
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nvent_sched.testing import ManualClock
    from tests.patterns.conftest import Stores

SECOND, MINUTE, HOUR = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours")
)
TIMEOUT = 10 * SECOND


@pytest.fixture
def alarms() -> list[dict[str, Any]]:
    """What alarms were told."""
    return []


@pytest.fixture
async def scheduler(
    stores: Stores, alarms: list[dict[str, Any]]
) -> AsyncIterator[Scheduler]:
    async with stores.scheduler() as started:

        @started.handler("alarm")
        async def alarm(stall: dict[str, Any]) -> None:
            alarms.append(stall)

        yield started


@asynccontextmanager
async def told(scheduler: Scheduler, clock: ManualClock) -> AsyncIterator[list[str]]:
    """Collect what is told of stalls meanwhile."""
    kinds: list[str] = []

    async def listen() -> None:
        async for event in scheduler.events():
            if event.kind in {"stalled", "recovered"}:
                kinds.append(f"{event.kind} {event.job_id}")  # noqa: PERF401  as they come

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await clock.run_until_idle()
        yield kinds
        await clock.advance(SECOND)
        tasks.cancel_scope.cancel()


async def states(scheduler: Scheduler) -> dict[str, str]:
    return {each.key: each.state.value for each in await scheduler.watchdogs()}


async def test_work_that_gives_signs_in_time_raises_no_alarm(
    scheduler: Scheduler, clock: ManualClock, alarms: list[dict[str, Any]]
) -> None:
    async with scheduler.watchdog("w", timeout=TIMEOUT, on_stall="alarm") as dog:
        for _ in range(20):
            await clock.advance(0.99 * TIMEOUT)
            dog.beat()
    await clock.advance(MINUTE)

    assert alarms == []
    assert await states(scheduler) == {}
    assert (await scheduler.jobs()).items == ()


async def test_silence_raises_the_alarm_exactly_at_the_deadline_and_once(
    scheduler: Scheduler, clock: ManualClock, alarms: list[dict[str, Any]]
) -> None:
    dog = scheduler.watchdog(
        "flow-7", timeout=TIMEOUT, on_stall="alarm", metadata={"team": "a"}
    )
    await dog.start()
    await clock.advance(4 * SECOND)
    dog.beat()
    last = clock.moment
    await clock.advance(TIMEOUT - timedelta(microseconds=1))
    before = list(alarms)
    await clock.advance(MINUTE)

    assert before == []
    (alarm,) = alarms
    assert alarm == {
        "key": "flow-7",
        "reason": "no sign of life for 10 s",
        "last_beat": last.isoformat(),
        "timeout": 10.0,
        "owner": scheduler.instance_id,
        "metadata": {"team": "a"},
    }
    (seen,) = await scheduler.watchdogs()
    assert (seen.state, seen.alarms, seen.last_beat) == ("stalled", 1, last)
    assert seen.deadline == last + TIMEOUT


async def test_a_stall_and_the_recovery_from_it_are_told_once_each(
    scheduler: Scheduler, clock: ManualClock, alarms: list[dict[str, Any]]
) -> None:
    dog = scheduler.watchdog("w", timeout=TIMEOUT, on_stall="alarm")
    async with told(scheduler, clock) as kinds:
        await dog.start()
        await clock.advance(MINUTE)
        dog.beat()
        await clock.advance(SECOND)
        dog.beat()
        await clock.advance(SECOND)
        between = list(kinds), await states(scheduler)
        await clock.advance(MINUTE)
        await dog.finish()

    assert between == (
        ["stalled watchdog:w", "recovered watchdog:w"],
        {"w": "alive"},
    )
    assert kinds == ["stalled watchdog:w", "recovered watchdog:w"] * 2
    assert len(alarms) == 2


async def test_an_alarm_that_fails_is_tried_again_and_stays_in_history(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    @scheduler.handler("flaky")
    async def flaky(run: RunContext, stall: dict[str, Any]) -> str:
        if run.attempt < 3:
            msg = "no line"
            raise ConnectionError(msg)
        return f"called for {stall['key']}"

    retry = Retry(attempts=3, delay=SECOND)
    dog = scheduler.watchdog("w", timeout=TIMEOUT, on_stall="flaky", retry=retry)
    await dog.start()
    await clock.advance(MINUTE)
    await dog.finish()

    (run,) = await scheduler.runs("watchdog:w")
    assert (run.outcome, run.attempt, run.result) == ("succeeded", 3, "called for w")
    (ended,) = await scheduler.watchdogs(state="ended")
    assert (ended.key, ended.alarms) == ("w", 1)
    assert await states(scheduler) == {}
    assert (await scheduler.stats("watchdog:w")).runs == 1


async def test_a_thousand_signs_a_second_are_a_few_writes(
    stores: Stores, clock: ManualClock
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as scheduler:
        dogs = [scheduler.watchdog(f"w{n}", timeout=TIMEOUT) for n in range(20)]
        for dog in dogs:
            await dog.start()
        await clock.run_until_idle()
        adapter.calls.clear()
        for _ in range(100):
            await clock.advance(timedelta(milliseconds=200))
            for dog in dogs * 10:
                dog.beat()
        writes, reads = adapter.calls["put_jobs"], adapter.calls["read_jobs"]

    # 20 s of signs, each stored every quarter of 10 s, all of them together
    assert 7 <= writes <= 9
    assert reads == 0


async def test_no_sign_is_lost_while_the_store_is_away(
    stores: Stores, clock: ManualClock
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as scheduler, told(scheduler, clock) as kinds:
        dog = scheduler.watchdog("w", timeout=TIMEOUT)
        await dog.start()
        adapter.is_gone = True
        for _ in range(20):
            await clock.advance(SECOND)
            dog.beat()
        adapter.is_gone = False
        for _ in range(20):
            await clock.advance(SECOND)
            dog.beat()
        alive = await states(scheduler)

    assert alive == {"w": "alive"}
    assert kinds == [], "the signs were here when its planner could plan again"


async def test_a_stall_that_another_instance_saw_while_we_were_cut_off_recovers(
    stores: Stores, clock: ManualClock
) -> None:
    ours = stores.adapter()
    async with (
        stores.scheduler() as other,
        stores.scheduler(ours) as scheduler,
        told(scheduler, clock) as kinds,
    ):
        dog = scheduler.watchdog("w", timeout=TIMEOUT)
        await dog.start()
        ours.is_gone = True
        for _ in range(20):
            await clock.advance(SECOND)
            dog.beat()
        cut_off = await states(other)
        ours.is_gone = False
        for _ in range(15):
            await clock.advance(SECOND)
            dog.beat()

    assert cut_off == {"w": "stalled"}
    assert kinds == ["stalled watchdog:w", "recovered watchdog:w"]


@pytest.mark.parametrize("by", [25 * HOUR, -25 * HOUR])
async def test_a_clock_that_is_set_neither_raises_nor_loses_an_alarm(
    scheduler: Scheduler,
    clock: ManualClock,
    alarms: list[dict[str, Any]],
    by: timedelta,
) -> None:
    async with scheduler.watchdog("w", timeout=TIMEOUT, on_stall="alarm") as dog:
        await clock.advance(4 * SECOND)
        dog.beat()
        await clock.advance(4 * SECOND)
        clock.jump(by)
        await clock.run_until_idle()
        await clock.advance(5 * SECOND)
        in_time = list(alarms)
        await clock.advance(2 * SECOND)

    assert in_time == []
    assert len(alarms) == 1


async def test_a_block_left_by_an_exception_leaves_the_watchdog_armed(
    scheduler: Scheduler, clock: ManualClock, alarms: list[dict[str, Any]]
) -> None:
    with pytest.raises(LookupError):
        async with scheduler.watchdog("w", timeout=TIMEOUT, on_stall="alarm"):
            raise LookupError

    assert await states(scheduler) == {"w": "alive"}
    await clock.advance(MINUTE)
    assert len(alarms) == 1


async def test_another_instance_takes_work_over_by_its_key(
    stores: Stores, clock: ManualClock
) -> None:
    async with stores.scheduler() as first:
        await first.start_watchdog("w", timeout=TIMEOUT)
        await clock.advance(5 * SECOND)
    async with (
        stores.scheduler() as second,
        told(second, clock) as kinds,
        second.watchdog("w", timeout=TIMEOUT),
    ):
        (seen,) = await second.watchdogs()
        owner = second.instance_id
        await clock.advance(9 * SECOND)

    assert seen.owner == owner
    assert kinds == []


async def test_signs_and_the_end_may_come_from_another_instance(
    stores: Stores, clock: ManualClock
) -> None:
    async with stores.scheduler() as first, stores.scheduler() as second:
        async with told(first, clock) as kinds:
            await first.start_watchdog("w", timeout=TIMEOUT)
            for _ in range(10):
                await clock.advance(8 * SECOND)
                second.beat_watchdog("w")
            existed = await second.finish_watchdog("w")
            again = await second.finish_watchdog("w")
            first.beat_watchdog("w")
            await clock.advance(MINUTE)
        left = await states(first)

    assert (existed, again) == (True, False)
    assert (kinds, left) == ([], {})


async def test_of_two_instances_one_raises_the_alarm(
    stores: Stores, clock: ManualClock
) -> None:
    raised: list[str] = []

    async def alarm(run: RunContext, stall: dict[str, Any]) -> None:
        raised.append(f"{stall['key']} {run.attempt}")

    async with stores.scheduler() as first, stores.scheduler() as second:
        for each in (first, second):
            each.handler("alarm")(alarm)
        for number in range(20):
            await first.start_watchdog(f"w{number}", timeout=TIMEOUT, on_stall="alarm")
        await clock.advance(MINUTE)

    assert sorted(raised) == sorted(f"w{number} 1" for number in range(20))


async def test_signs_may_come_from_any_thread(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    dog = scheduler.watchdog("w", timeout=TIMEOUT)
    await dog.start()
    before = (await scheduler.watchdogs()).items[0].last_beat
    await clock.advance(5 * SECOND)
    threads = [threading.Thread(target=dog.beat) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await run_sync(thread.join)
    while (await scheduler.watchdogs()).items[0].last_beat == before:
        await clock.advance(timedelta())

    assert (await scheduler.watchdogs()).items[0].last_beat == clock.moment
    await dog.finish()


async def test_the_end_of_work_waits_for_a_store_that_is_away(
    stores: Stores, clock: ManualClock
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as scheduler:
        async with scheduler.watchdog("w", timeout=HOUR):
            adapter.is_gone = True
        await clock.advance(20 * SECOND)
        adapter.is_gone = False
        await clock.advance(20 * SECOND)
        left = await states(scheduler)

    assert left == {}


async def test_many_watchdogs_are_read_page_by_page(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def nothing() -> None: ...

    await scheduler.schedule(nothing, OneTime(in_=HOUR), id="a-job")
    await scheduler.schedule(nothing, OneTime(in_=HOUR), id="zebra")
    for number in range(7):
        timeout = TIMEOUT if number % 2 else HOUR
        await scheduler.start_watchdog(f"w{number}", timeout=timeout)
    await clock.advance(MINUTE)

    keys, after = [], None
    while True:
        page = await scheduler.watchdogs(limit=3, after=after)
        keys.append([each.key for each in page])
        if (after := page.next) is None:
            break
    stalled = await scheduler.watchdogs(state="stalled", limit=3)

    assert keys == [["w0", "w1", "w2"], ["w3", "w4", "w5"], ["w6"]]
    assert [each.key for each in stalled] == ["w1", "w3", "w5"]
    assert (await scheduler.check()).findings == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": ""},
        {"timeout": timedelta(milliseconds=99)},
        {"timeout": timedelta.max, "key": "w"},
        {"on_stall": lambda: None},
        {"metadata": {"x": object()}},
        {"retry": 3},
    ],
    ids="-".join,
)
async def test_what_is_not_allowed_is_refused(
    scheduler: Scheduler, wrong: dict[str, Any]
) -> None:
    right: dict[str, Any] = {"key": "w", "timeout": TIMEOUT}

    with pytest.raises(UsageError):
        scheduler.watchdog(**(right | wrong))


async def test_an_alarm_must_be_callable_with_what_it_is_told(
    scheduler: Scheduler,
) -> None:
    async def deaf() -> None: ...

    with pytest.raises(UsageError, match="cannot be called"):
        scheduler.watchdog("w", timeout=TIMEOUT, on_stall=deaf)
