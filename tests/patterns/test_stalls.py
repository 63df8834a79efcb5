"""Runs that fall silent, work that the dead left behind, and work that is only swept."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from nvent_sched import Interval, OneTime, RunContext, Scheduler
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nvent_sched.testing import ManualClock
    from tests.patterns.conftest import Stores

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TIMEOUT = 10 * SECOND


@asynccontextmanager
async def told(
    scheduler: Scheduler, clock: ManualClock
) -> AsyncIterator[list[tuple[str, str | None, str | None]]]:
    """Collect what is told of stalls meanwhile."""
    events: list[tuple[str, str | None, str | None]] = []

    async def listen() -> None:
        async for event in scheduler.events():
            if event.kind in {"stalled", "recovered"}:
                told_of = (event.kind, event.job_id, event.run_id)
                events.append(told_of)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await clock.run_until_idle()
        yield events
        await clock.advance(SECOND)
        tasks.cancel_scope.cancel()


async def test_a_run_that_falls_silent_is_stalled_once_and_recovers_with_a_sign(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def work(run: RunContext) -> None:
        for _ in range(3):
            await clock.sleep(8 * SECOND)
            run.progress(0.5)
        await clock.sleep(35 * SECOND)
        run.heartbeat()
        await clock.sleep(5 * SECOND)

    await scheduler.schedule(work, OneTime(in_=SECOND), id="w", stall_after=TIMEOUT)
    async with told(scheduler, clock) as events:
        await clock.advance(SECOND + 3 * 8 * SECOND + 9 * SECOND)
        in_time = list(events)
        await clock.advance(20 * SECOND)
        (stalled,) = await scheduler.watchdogs()
        silent = list(events)
        await clock.advance(MINUTE)

    (run,) = await scheduler.runs("w")
    assert in_time == []
    assert silent == [("stalled", "w", run.id)]
    assert (stalled.state, stalled.run_id) == ("stalled", run.id)
    assert events == [("stalled", "w", run.id), ("recovered", "w", run.id)]
    assert run.outcome == "succeeded"
    assert (await scheduler.watchdogs()).items == ()


async def test_a_stalled_run_that_ends_without_a_sign_has_recovered(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def work() -> None:
        await clock.sleep(MINUTE)

    await scheduler.schedule(work, OneTime(in_=SECOND), id="w", stall_after=TIMEOUT)
    async with told(scheduler, clock) as events:
        await clock.advance(2 * MINUTE)

    assert [kind for kind, _, _ in events] == ["stalled", "recovered"]


async def test_a_run_that_ends_soon_costs_the_store_nothing(
    stores: Stores, clock: ManualClock
) -> None:
    adapter = stores.adapter()

    async def work(run: RunContext) -> None:
        run.heartbeat()
        await clock.sleep(SECOND)
        run.progress(1)

    async with stores.scheduler(adapter) as scheduler:
        await scheduler.schedule(
            work, Interval(seconds=2), id="w", stall_after=TIMEOUT, overlap="allow_all"
        )
        await clock.run_until_idle()
        adapter.calls.clear()
        await clock.advance(20 * SECOND)
        ran = (await scheduler.stats("w")).runs

    assert ran == 9
    assert adapter.calls["put_jobs"] == 0
    assert adapter.calls["drop_jobs"] == 0


async def test_what_a_dead_instance_was_at_is_stalled_at_the_next_start(
    stores: Stores, clock: ManualClock
) -> None:
    alarms: list[dict[str, Any]] = []

    async def alarm(stall: dict[str, Any]) -> None:
        alarms.append(stall)

    async def work() -> None:
        await clock.sleep(24 * 60 * MINUTE)

    doomed = stores.adapter()
    async with stores.scheduler(doomed) as first:
        first.handler("alarm")(alarm)
        first.handler("work")(work)
        owner = first.instance_id
        for number in range(3):
            await first.start_watchdog(
                f"w{number}", timeout=timedelta(days=7), on_stall="alarm"
            )
        await first.schedule("work", OneTime(in_=SECOND), id="j", stall_after=TIMEOUT)
        await clock.advance(5 * SECOND)
        doomed.is_gone = True
    clock.jump(timedelta(hours=2))
    last = stores.adapter()
    async with stores.scheduler() as second:
        second.handler("alarm")(alarm)
        await clock.advance(MINUTE)
        seen = await second.watchdogs()
        told = await last_start(second, last, clock)

    assert sorted(each["key"] for each in alarms) == ["w0", "w1", "w2"]
    assert {each["reason"] for each in alarms} == {f"instance {owner} died with it"}
    assert [each.state for each in seen] == ["stalled"] * 3
    assert seen.items[0].reason == f"instance {owner} died with it"
    assert "1 runs taken up again" in told
    assert "3 watchdogs stalled" in told


async def last_start(scheduler: Scheduler, adapter: Any, clock: ManualClock) -> str:  # noqa: ANN401  a told one
    """Say what the scheduler told at its start."""
    await adapter.open(now=clock.now())
    events = await adapter.read_events(after=0, limit=10_000)
    await adapter.close()
    (started,) = [
        event.detail
        for event in events
        if event.kind == "instance_started" and event.instance == scheduler.instance_id
    ]
    return str(started)


async def test_an_instance_that_ends_in_order_leaves_its_work_until_the_deadline(
    stores: Stores, clock: ManualClock
) -> None:
    async with stores.scheduler() as first:
        await first.start_watchdog("w", timeout=TIMEOUT)
    async with stores.scheduler() as second:
        await clock.advance(9 * SECOND)
        (before,) = await second.watchdogs()
        await clock.advance(2 * SECOND)
        (after,) = await second.watchdogs()

    assert (before.state, after.state) == ("alive", "stalled")


async def test_a_sweep_raises_the_alarm_once_a_silence(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    alarms: list[str] = []
    last: dict[str, datetime] = {}

    async def alarm(stall: dict[str, Any]) -> None:
        alarms.append(f"{stall['key']} {stall['last_beat']}")

    async def find() -> dict[str, datetime]:
        return last

    scheduler.stall_sweep(find, timeout=3 * MINUTE, on_stall=alarm, every=2 * MINUTE)
    began = clock.moment
    last.update({"busy": began, "stuck": began, "gone": began})
    async with told(scheduler, clock) as events:
        for _ in range(4):
            await clock.advance(2 * MINUTE)
            last["busy"] = clock.moment
        first = sorted(alarms)
        del last["gone"]
        last["stuck"] = again = clock.moment
        for _ in range(4):
            await clock.advance(2 * MINUTE)
            last["busy"] = clock.moment

    assert first == [f"{key} {began.isoformat()}" for key in ("gone", "stuck")]
    assert alarms[2:] == [f"stuck {again.isoformat()}"]
    kinds = [kind for kind, _, _ in events]
    assert kinds.count("stalled") == 3
    assert kinds.count("recovered") == 2
    (seen,) = await scheduler.watchdogs()
    assert (seen.key, seen.state, seen.owner) == ("stuck", "stalled", None)
    (run, *_) = await scheduler.runs("stall-detection")
    assert run.result == {"going": 2, "stalled": 0, "recovered": 0}


async def test_a_plain_function_finds_in_a_worker_thread(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    def find() -> dict[str, datetime]:
        return {"old": clock.moment - timedelta(days=1)}

    scheduler.stall_sweep(find, timeout=MINUTE, every=MINUTE)
    await clock.advance(2 * MINUTE)

    (seen,) = await scheduler.watchdogs()
    assert (seen.key, seen.state) == ("old", "stalled")


@pytest.mark.parametrize("found", [[1], {"a": 3}, {"a": datetime(2026, 1, 1)}])  # noqa: DTZ001  meant
async def test_a_sweep_that_finds_no_moments_fails_with_the_reason(
    scheduler: Scheduler,
    clock: ManualClock,
    found: Any,  # noqa: ANN401  wrong on purpose
) -> None:
    async def find() -> Any:  # noqa: ANN401  wrong on purpose
        return found

    scheduler.stall_sweep(find, timeout=MINUTE, every=MINUTE)
    await clock.advance(MINUTE)

    (run,) = await scheduler.runs("stall-detection")
    assert run.outcome == "failed"
    assert run.error is not None
    assert UsageError.__name__ in run.error
