"""Waits for a stored time: the first says when, everybody else waits only for the rest."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from nvent_sched import AwaitResult, Cron, Interval, OneTime, Scheduler
from nvent_sched.errors import (
    AwaitCancelledError,
    DeadlineError,
    NotRunningError,
    StoreUnavailableError,
    UsageError,
)
from nvent_sched.testing import ManualClock
from tests.patterns.conftest import START, stored_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.conftest import Server
    from tests.patterns.conftest import Gathering, Stores

    Gathered = Callable[[], AbstractAsyncContextManager[Gathering]]

SECOND, MINUTE, HOUR = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours")
)


async def test_a_wait_ends_at_its_time_and_says_so(
    scheduler: Scheduler, clock: ManualClock, gathered: Gathered
) -> None:
    async with gathered() as tasks:
        tasks.add(partial(scheduler.sleep, "order-42:grace", minutes=1))
        await clock.advance(59 * SECOND)
        during = list(tasks.ended)
        await clock.advance(SECOND)

    assert during == []
    assert tasks.ended == [
        AwaitResult(
            key="order-42:grace",
            scheduled=START + MINUTE,
            woken=START + MINUTE,
            lateness=timedelta(),
            is_first=True,
        )
    ]


async def test_the_second_caller_waits_only_for_the_rest(
    scheduler: Scheduler, clock: ManualClock, gathered: Gathered
) -> None:
    async with gathered() as tasks:
        tasks.add(partial(scheduler.sleep, "key", minutes=1))
        await clock.advance(20 * SECOND)
        tasks.add(partial(scheduler.sleep, "key", hours=9))
        await clock.advance(40 * SECOND)

    assert [each.scheduled for each in tasks.ended] == [START + MINUTE] * 2
    assert sorted(each.is_first for each in tasks.ended) == [False, True]


async def test_fifty_tasks_on_two_instances_agree_on_one_time(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async with stores.scheduler() as one, stores.scheduler() as other:
        async with gathered() as tasks:
            for number in range(50):
                waits = one if number % 2 else other
                tasks.add(partial(waits.sleep, "key", seconds=10 + number))
            await clock.advance(MINUTE)
        stored = await stored_in(one)

    assert len(tasks.ended) == 50
    assert len({each.scheduled for each in tasks.ended}) == 1
    assert sum(each.is_first for each in tasks.ended) == 1
    assert {each.lateness for each in tasks.ended} == {timedelta()}
    assert stored == {"await:key": "finished"}


async def test_another_instance_waits_for_the_rest_of_what_one_that_is_gone_stored(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async with stores.scheduler() as first, gathered() as tasks:
        tasks.add(partial(first.sleep, "key", minutes=1))
        await clock.run_until_idle()
        await first.stop()
    await clock.advance(30 * SECOND)
    async with stores.scheduler() as second, gathered() as more:
        more.add(partial(second.sleep, "key", minutes=1))
        await clock.advance(30 * SECOND)

    (ended,) = tasks.ended
    assert isinstance(ended, NotRunningError)
    (result,) = more.ended
    assert (result.woken, result.is_first) == (START + MINUTE, False)


async def test_a_time_that_passed_meanwhile_is_no_wait_but_has_a_lateness(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async with stores.scheduler() as first, gathered() as tasks:
        tasks.add(partial(first.sleep, "key", minutes=1))
        await clock.run_until_idle()
        await first.stop()
    await clock.advance(90 * SECOND)
    async with stores.scheduler() as second:
        late = await second.sleep("key", minutes=1)
        await clock.advance(MINUTE)
        again = await second.sleep("key", minutes=1)

    assert (late.scheduled, late.lateness) == (START + MINUTE, 30 * SECOND)
    assert (again.scheduled, again.lateness) == (START + MINUTE, 90 * SECOND)


async def test_a_wait_that_nobody_waits_for_any_more_is_finished_and_recorded(
    stores: Stores, clock: ManualClock
) -> None:
    async with stores.scheduler() as scheduler:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await scheduler.sleep("key", minutes=1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(scheduler.sleep, "key", minutes=1))
            await clock.run_until_idle()
            tasks.cancel_scope.cancel()
        await clock.advance(61 * SECOND)
        before = await stored_in(scheduler)
        await clock.advance(2 * SECOND)
        after = await stored_in(scheduler)
        runs = await scheduler.runs("await:key")
        health = await scheduler.health()

    assert (before, after) == ({"await:key": "active"}, {"await:key": "finished"})
    assert [run.outcome for run in runs] == ["succeeded"]
    assert health.is_ok


async def test_a_wait_that_somebody_waits_for_has_no_run(
    scheduler: Scheduler, clock: ManualClock, gathered: Gathered
) -> None:
    async with gathered() as tasks:
        tasks.add(partial(scheduler.sleep, "key", minutes=1))
        await clock.advance(2 * MINUTE)

    assert len(tasks.ended) == 1
    assert (await scheduler.runs()).items == ()


async def test_a_finished_key_is_forgotten_after_a_while(
    stores: Stores, clock: ManualClock
) -> None:
    async with stores.scheduler(history_success=MINUTE) as scheduler:
        await scheduler.sleep("key", seconds=0)
        await clock.advance(59 * SECOND)
        kept = await stored_in(scheduler)
        await clock.advance(2 * SECOND)
        gone = await stored_in(scheduler)

    assert (kept, gone) == ({"await:key": "finished"}, {})


async def test_a_moment_that_is_past_is_no_wait(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    result = await scheduler.sleep_until("key", START - HOUR)
    again = await scheduler.sleep_until("key", START + HOUR)

    assert (result.lateness, result.is_first) == (HOUR, True)
    assert (again.scheduled, again.is_first) == (START - HOUR, False)
    assert clock.moment == START


@pytest.mark.parametrize(
    ("schedule", "after"),
    [
        (Cron("*/5 * * * *"), 5 * MINUTE),
        (Interval(minutes=2), 2 * MINUTE),
        (Interval(minutes=2, anchor=START - MINUTE), MINUTE),
        (OneTime(START + MINUTE), MINUTE),
    ],
)
async def test_the_next_time_of_a_schedule_is_found_once(
    stores: Stores,
    clock: ManualClock,
    gathered: Gathered,
    schedule: Any,  # noqa: ANN401  any of them
    after: timedelta,
) -> None:
    async with stores.scheduler() as scheduler, gathered() as tasks:
        tasks.add(partial(scheduler.wait_for_next, "key", schedule))
        await clock.run_until_idle()
        (waits,) = await scheduler.awaits()
        await clock.advance(after)

    assert waits.until == START + after
    assert [each.woken for each in tasks.ended] == [START + after]


async def test_cancelling_ends_the_wait_of_everybody_on_every_instance(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async with stores.scheduler() as one, stores.scheduler() as other:
        async with gathered() as tasks:
            for waits in (one, one, other):
                tasks.add(partial(waits.sleep, "key", hours=1))
            await clock.advance(10 * SECOND)
            is_cancelled = await one.cancel_await("key", reason="it was paid")
            await clock.advance(SECOND)
            ended_by = clock.moment
        with pytest.raises(AwaitCancelledError, match="it was paid"):
            await other.sleep("key", hours=1)
        again = await one.cancel_await("key")

    assert (is_cancelled, again) == (True, False)
    assert ended_by == START + 11 * SECOND
    assert [type(each) for each in tasks.ended] == [AwaitCancelledError] * 3
    assert {each.reason for each in tasks.ended} == {"it was paid"}


async def test_what_is_not_stored_or_is_over_cannot_be_cancelled(
    scheduler: Scheduler,
) -> None:
    await scheduler.sleep("over", seconds=0)

    assert not await scheduler.cancel_await("unknown")
    assert not await scheduler.cancel_await("over")
    assert (await scheduler.sleep("over", seconds=0)).lateness >= timedelta()


async def test_a_record_that_is_removed_ends_the_wait(
    scheduler: Scheduler, clock: ManualClock, gathered: Gathered
) -> None:
    async with gathered() as tasks:
        tasks.add(partial(scheduler.sleep, "key", hours=1))
        await clock.run_until_idle()
        await scheduler.unschedule("await:key")
        await clock.advance(SECOND)

    (ended,) = tasks.ended
    assert isinstance(ended, AwaitCancelledError)


async def test_waits_are_listed_with_who_stored_them_and_until_when(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async with stores.scheduler() as one, stores.scheduler() as other:
        async with gathered() as tasks:
            for key in ("c", "a", "b"):
                tasks.add(partial(one.sleep, key, minutes=1))
            await clock.advance(SECOND)
            tasks.add(partial(other.sleep, "a", minutes=1))
            await other.schedule("nobody", OneTime(in_=HOUR), id="zebra")
            await other.schedule("nobody", OneTime(in_=HOUR), id="aardvark")
            await clock.run_until_idle()
            first = await other.awaits(limit=2)
            rest = await other.awaits(after=first.next, limit=2)
            await clock.advance(MINUTE)
        after = await other.awaits()

        assert [(each.key, each.waiters) for each in first] == [("a", 1), ("b", 0)]
        assert [each.key for each in rest] == ["c"]
        assert (first.next, rest.next, len(after)) == ("b", None, 0)
        assert {each.stored_by for each in first} == {one.instance_id}
        assert {(each.since, each.until) for each in first} == {(START, START + MINUTE)}


async def test_a_scheduler_that_stops_ends_its_waits_and_the_time_stays(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async with stores.scheduler() as scheduler, gathered() as tasks:
        tasks.add(partial(scheduler.sleep, "key", hours=1))
        await clock.run_until_idle()
        await scheduler.stop()
    async with stores.scheduler() as later:
        (waits,) = await later.awaits()

    (ended,) = tasks.ended
    assert isinstance(ended, NotRunningError)
    assert "sleep" in str(ended)
    assert waits.until == START + HOUR


async def test_a_client_that_runs_no_handlers_waits_too(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async with stores.scheduler(runs_handlers=False) as client, gathered() as tasks:
        tasks.add(partial(client.sleep, "key", minutes=1))
        await clock.advance(MINUTE)
        stored = await stored_in(client)

    assert [each.woken for each in tasks.ended] == [START + MINUTE]
    assert stored == {"await:key": "finished"}


async def test_a_handler_waits_too(scheduler: Scheduler, clock: ManualClock) -> None:
    async def handler() -> bool:
        return (await scheduler.sleep("key", seconds=30)).is_first

    await scheduler.schedule(handler, OneTime(in_=SECOND), id="h")
    await clock.advance(40 * SECOND)

    (run,) = await scheduler.runs("h")
    assert (run.outcome, run.result) == ("succeeded", True)


async def test_the_handlers_of_an_instance_are_those_of_the_user(
    scheduler: Scheduler,
) -> None:
    (instance,) = await scheduler.instances()

    assert instance.handlers == ()


async def test_a_short_wait_costs_two_writes_and_nothing_else(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter, runs_handlers=False) as scheduler:
        await clock.run_until_idle()
        before = adapter.calls.copy()
        async with gathered() as tasks:
            for number in range(10):
                tasks.add(partial(scheduler.sleep, f"key{number}", milliseconds=400))
            await clock.advance(SECOND)

    assert len(tasks.ended) == 10
    # Ten that store a time; one that finishes all, as all end at once.
    assert adapter.calls - before == {"put_jobs": 11, "close": 1}


@pytest.mark.parametrize("hours", [25, -25])
async def test_a_jump_of_the_clock_is_heeded_at_once(
    stores: Stores, clock: ManualClock, gathered: Gathered, hours: int
) -> None:
    async with stores.scheduler() as scheduler, gathered() as tasks:
        tasks.add(partial(scheduler.sleep, "soon", minutes=1))
        tasks.add(partial(scheduler.sleep, "later", days=2))
        await clock.run_until_idle()
        clock.jump(timedelta(hours=hours))
        await clock.run_until_idle()
        woken = [each.key for each in tasks.ended]
        await scheduler.stop()

    assert woken == (["soon"] if hours > 0 else [])


async def test_a_wait_after_the_clock_went_back_lasts_until_its_time(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async with stores.scheduler() as scheduler, gathered() as tasks:
        tasks.add(partial(scheduler.sleep, "key", minutes=1))
        await clock.run_until_idle()
        clock.jump(-MINUTE)
        await clock.advance(MINUTE + 59 * SECOND)
        during = list(tasks.ended)
        await clock.advance(SECOND)

    assert during == []
    assert [each.woken for each in tasks.ended] == [START + MINUTE]


async def test_a_wait_ends_on_time_while_the_store_is_out_of_reach(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as scheduler:
        async with gathered() as tasks:
            tasks.add(partial(scheduler.sleep, "a", seconds=5))
            tasks.add(partial(scheduler.sleep, "b", seconds=7))
            await clock.run_until_idle()
            adapter.is_gone = True
            await clock.advance(10 * SECOND)
        adapter.is_gone = False
        await clock.advance(20 * SECOND)
        stored = await stored_in(scheduler)
        runs = await scheduler.runs()

    assert [each.lateness for each in tasks.ended] == [timedelta()] * 2
    assert stored == {"await:a": "finished", "await:b": "finished"}
    # A planner may have been the first to finish them; that is all.
    assert {run.outcome for run in runs} <= {"succeeded"}


async def test_a_time_that_cannot_be_stored_is_not_waited_for(
    stores: Stores, clock: ManualClock
) -> None:
    adapter = stores.adapter()
    async with stores.scheduler(adapter) as scheduler:
        adapter.is_gone = True
        with pytest.raises(StoreUnavailableError):
            await scheduler.sleep("key", seconds=5)
        adapter.is_gone = False
        await clock.advance(20 * SECOND)

        assert await stored_in(scheduler) == {}


async def test_a_wait_that_has_just_ended_is_written_before_the_store_closes(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    adapter = stores.adapter()
    async with gathered() as tasks, stores.scheduler(adapter) as scheduler:
        tasks.add(partial(scheduler.sleep, "key", seconds=5))
        await clock.run_until_idle()
        put = adapter.calls["put_jobs"]
        await clock.advance(5 * SECOND)
    async with stores.scheduler(runs_handlers=False) as later:
        assert await stored_in(later) == {"await:key": "finished"}
    assert adapter.calls["put_jobs"] == put + 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.sleep("key"), "how long"),
        (lambda s: s.sleep("key", seconds=-1), "0 or more"),
        (lambda s: s.sleep("key", timedelta.max), "must be at most 100 years"),
        (lambda s: s.sleep("key", days=36_526), "can take at most 100 years"),
        (lambda s: s.sleep("key", seconds="1"), "must be a number"),
        (lambda s: s.sleep("key", 5), "must be a timedelta"),
        (lambda s: s.sleep("", seconds=1), "1 to 200 characters"),
        (lambda s: s.sleep_until("key", START.replace(tzinfo=None)), "naive"),
        (lambda s: s.wait_for_next("key", "* * * * *"), "expected Cron"),
        (lambda s: s.wait_for_next("key", OneTime(START - HOUR)), "no time after now"),
        (lambda s: s.awaits(limit=0), "limit"),
    ],
)
async def test_what_cannot_be_waited_for_is_refused(
    call: Callable[[Scheduler], Any], words: str
) -> None:
    async with Scheduler("memory:", clock=ManualClock(START)) as scheduler:
        with pytest.raises(UsageError, match=words):
            await call(scheduler)


async def test_nobody_waits_with_a_scheduler_that_is_not_running() -> None:
    with pytest.raises(NotRunningError, match="sleep"):
        await Scheduler("memory:").sleep("key", seconds=1)


async def test_waits_are_not_among_the_jobs(stores: Stores) -> None:
    async with stores.scheduler() as scheduler:
        for key in "dcba":
            await scheduler.sleep(key, seconds=0)
        for job_id in ("zebra", "aardvark", "badger", "deadlines", "await"):
            await scheduler.schedule("nobody", OneTime(in_=HOUR), id=job_id)
        with pytest.raises(DeadlineError):
            async with scheduler.deadline("x", seconds=0):
                pass
        pages, after = list[list[str]](), None
        while True:
            page = await scheduler.jobs(after=after, limit=2)
            pages.append([job.id for job in page])
            after = page.next
            if after is None:
                break
        shown = await scheduler.snapshot()
        kept = await scheduler.get_job("await:a")
        check = await scheduler.check()

    assert pages == [["aardvark", "await"], ["badger", "deadlines"], ["zebra"]]
    assert [job.id for job in shown.jobs] == [*chain(*pages)]
    assert (kept.name, kept.status) == ("a", "finished")
    assert check.findings == ()


async def test_a_wait_counts_from_the_time_of_the_server(
    servers: Callable[[str], Server],
) -> None:
    server = servers("valkey")
    wrong = ManualClock(START - timedelta(days=9_999))
    async with (
        Scheduler(server.url, clock=wrong, runs_handlers=False) as client,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(partial(client.sleep, "key", hours=1))
        await wrong.run_until_idle()
        (waits,) = await client.awaits()
        with server.client() as asked:
            seconds, _ = asked.time()
        tasks.cancel_scope.cancel()

    assert abs(waits.until.timestamp() - seconds - 3600) < 60


async def test_a_wait_is_no_job_wherever_jobs_are_counted(
    scheduler: Scheduler, clock: ManualClock, gathered: Gathered
) -> None:
    await scheduler.schedule("nobody", Interval(hours=1), id="job")
    async with gathered() as tasks:
        for name in "abc":
            tasks.add(partial(scheduler.sleep, name, minutes=1))
        await clock.run_until_idle()
        listed = await scheduler.jobs()
        snapshot, summary = await scheduler.snapshot(), await scheduler.check()
        await clock.advance(MINUTE)

    assert [job.id for job in listed] == ["job"]
    assert sum(snapshot.job_counts.values()) == 1
    assert (sum(summary.jobs.values()), sum(summary.waits.values())) == (1, 3)


async def test_nobody_is_missed_for_waits_on_a_store_without_an_instance(
    stores: Stores, clock: ManualClock, gathered: Gathered
) -> None:
    async with stores.scheduler() as first, gathered() as tasks:
        tasks.add(partial(first.sleep, "key", minutes=1))
        await clock.run_until_idle()
        await first.stop()
    await clock.advance(2 * MINUTE)

    async with stores.scheduler(runs_handlers=False) as client:
        health, summary = await client.health(), await client.check()

    assert health.unresolved == {}
    assert summary.unresolved == {}
