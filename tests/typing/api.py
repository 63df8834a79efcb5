"""What a user writes, as the type checkers see it. Checked, never run.

A line with `type: ignore` is one that must be refused: both checkers report an ignore
that is not needed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, assert_type

from nvent_sched import (
    AwaitResult,
    BlockingDeadline,
    BlockingLock,
    BlockingScheduler,
    BlockingWatchdog,
    Cron,
    Dashboard,
    Deadline,
    Interval,
    JobOptions,
    JobSnapshot,
    JobSpec,
    Lock,
    Misfire,
    OneTime,
    Overlap,
    PoliciesSnapshot,
    Retry,
    RunContext,
    RunSnapshot,
    Scheduler,
    TriggerSnapshot,
    Watchdog,
    WatchdogSnapshot,
    WatchState,
)
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

scheduler = Scheduler("sqlite:///jobs.db", max_threads=4)
assert_type(scheduler, Scheduler)
assert_type(scheduler.url, str)
Scheduler(3)  # type: ignore[arg-type]
Scheduler("memory:", False)  # type: ignore[call-arg]  # noqa: FBT003


@scheduler.job(
    Cron("0 2 * * *", timezone="America/New_York"),
    id="daily-cleanup",
    overlap="skip",
    misfire=Misfire.LATEST,
    misfire_grace=timedelta(minutes=1),
    retry=Retry(attempts=5, delay=timedelta(seconds=1), backoff=2.0),
    timeout=timedelta(hours=1),
    jitter=timedelta(seconds=30),
    tags=["ops"],
    metadata={"owner": "data"},
)
def cleanup(run: RunContext, days: int = 7) -> str:
    run.progress(0.4, "deleting")
    run.log(f"{days} days")
    assert_type(run.fencing_token, int)
    assert_type(run.scheduled_time, datetime)
    return "done"


@scheduler.handler("report", executor="thread")
def report() -> None: ...


@scheduler.job(Interval(minutes=15))
async def check_for_stalls() -> None: ...


# A decorated function stays what it was.
as_written: Callable[[RunContext, int], str] = cleanup
cleanup("days")  # type: ignore[arg-type]


async def every_verb() -> None:
    async with scheduler as started:
        assert_type(started, Scheduler)

        job = await scheduler.schedule(
            cleanup, OneTime(in_=timedelta(hours=1)), id="once", kwargs={"days": 3}
        )
        options: JobOptions = {"overlap": Overlap.ALLOW_ALL, "max_running": 2}
        specs = [JobSpec("report", Interval(hours=1), id="hourly", options=options)]
        assert_type(await scheduler.schedule_many(specs), tuple[str, ...])
        assert_type(job.next_time, datetime | None)
        assert_type(job.tags, tuple[str, ...])

        await scheduler.reschedule(job, Cron("@hourly"), misfire="skip")
        assert_type(await scheduler.pause("hourly", reason="a migration"), bool)
        assert_type(await scheduler.resume("hourly", catch_up=True), bool)
        assert_type(await scheduler.unschedule(job), bool)
        assert_type((await scheduler.get_job("hourly")).id, str)
        assert_type((await scheduler.get_job("hourly")).policies, PoliciesSnapshot)

        page = await scheduler.jobs(tag="ops", limit=10)
        assert_type([each.name for each in page.items], list[str])
        assert_type(page.next, str | None)
        for preview in await scheduler.preview(Cron("0 2 * * *"), 3):
            assert_type(preview.moment, datetime)

        run = await scheduler.run_now("hourly", idempotency_key="today")
        ended = await scheduler.wait_for(run, timeout=timedelta(minutes=1))
        assert_type(ended.result, Any)
        assert_type(ended.lateness, timedelta | None)
        assert_type(await scheduler.cancel_run(run, reason="enough"), bool)
        assert_type((await scheduler.retry_run(run.id)).attempt, int)
        assert_type((await scheduler.get_run(run.id)).log, tuple[str, ...])
        earlier = NOON - timedelta(days=1)
        assert_type(await scheduler.backfill("hourly", earlier, NOON), tuple[str, ...])
        runs = await scheduler.runs("hourly", outcome="failed", since=earlier)
        assert_type([each.error for each in runs.items], list[str | None])

        assert_type((await scheduler.stats("hourly")).failures, int)
        assert_type((await scheduler.stats()).duration.p99, timedelta | None)
        assert_type([each.host for each in await scheduler.instances()], list[str])
        assert_type((await scheduler.health()).is_ok, bool)
        assert_type((await scheduler.snapshot()).total.runs, int)
        async for event in scheduler.events():
            assert_type(event.kind, str)
        await scheduler.stop(grace=timedelta(seconds=5))
        await scheduler.wait_until_stopped()


async def every_pattern() -> None:
    woken = await scheduler.sleep("grace", timedelta(days=1), hours=1.5)
    assert_type(woken, AwaitResult)
    assert_type(woken.lateness, timedelta)
    assert_type((await scheduler.sleep_until("noon", NOON)).is_first, bool)
    await scheduler.wait_for_next("desk", Cron("0 9 * * mon-fri"))
    assert_type(await scheduler.cancel_await("grace", reason="paid"), bool)
    waits = await scheduler.awaits(limit=10)
    assert_type([each.until for each in waits], list[datetime])
    async with scheduler.deadline("import", hours=2) as limit:
        assert_type(limit, Deadline)
        assert_type(limit.left, timedelta)
    async with scheduler.lock("import", ttl=timedelta(minutes=1)) as lock:
        assert_type(lock, Lock)
        assert_type(lock.fencing_token, int)
    assert_type([each.holder for each in await scheduler.locks()], list[str])


def without_await() -> None:
    with BlockingScheduler("memory:", backend="trio") as blocking:

        @blocking.job(Interval(hours=1), id="again")
        def again() -> int:
            return 1

        assert_type(again(), int)
        job = blocking.schedule(cleanup, Cron("@daily"), id="daily", tags=["ops"])
        assert_type(job, JobSnapshot)
        assert_type(blocking.pause(job, reason="rain"), bool)
        assert_type(blocking.dashboard(mode="timeline", height=400), Dashboard)
        run = blocking.wait_for(blocking.run_now(job), timeout=timedelta(hours=1))
        assert_type(run, RunSnapshot)
        for event in blocking.events():
            assert_type(event.kind, str)
        assert_type(blocking.sleep("grace", hours=1), AwaitResult)
        with blocking.deadline("import", until=NOON) as limit:
            assert_type(limit, BlockingDeadline)
            limit.check()
        with blocking.lock("import", wait=timedelta()) as lock:
            assert_type(lock, BlockingLock)
            assert_type(lock.is_lost, bool)
        blocking.schedule(cleanup, Cron("@daily"), overlaps="skip")  # type: ignore[call-arg]


async def on_stall(stall: dict[str, Any]) -> None: ...


async def watched() -> None:
    hour = timedelta(hours=1)
    dog = scheduler.watchdog("flow-7", timeout=hour, on_stall=on_stall)
    assert_type(dog, Watchdog)
    async with dog as entered:
        assert_type(entered, Watchdog)
        entered.beat()
    started = await scheduler.start_watchdog("k", timeout=hour, on_stall="alarm")
    assert_type(started, WatchdogSnapshot)
    scheduler.beat_watchdog("k")
    assert_type(await scheduler.finish_watchdog("k"), bool)
    for each in await scheduler.watchdogs(state="stalled"):
        assert_type(each.state, WatchState)
        assert_type(each.deadline, datetime)
    scheduler.stall_sweep(dict[str, datetime], timeout=hour, on_stall=on_stall)
    scheduler.watchdog("flow-7")  # type: ignore[call-arg]
    blocking = BlockingScheduler("memory:")
    with blocking, blocking.watchdog("flow-7", timeout=hour) as entered_too:
        assert_type(entered_too, BlockingWatchdog)


scheduler.trigger("daily-report", Cron("@daily"), misfire="skip")
scheduler.trigger("ordered", enabled=False)


@scheduler.on("ordered", retry=Retry(attempts=3))
async def ordered(run: RunContext, order: dict[str, Any]) -> None: ...


async def fired() -> None:
    run = await scheduler.fire("ordered", {"id": 7}, idempotency_key="order-7")
    assert_type(run, RunSnapshot)
    assert_type(await scheduler.pause_trigger("ordered", reason="rain"), bool)
    assert_type(await scheduler.resume_trigger("ordered", catch_up=True), bool)
    assert_type(await scheduler.retire_trigger("ordered"), bool)
    for each in await scheduler.triggers():
        assert_type(each, TriggerSnapshot)
        assert_type(each.subscribers, tuple[str, ...])
    await scheduler.fire("ordered", {}, "key")  # type: ignore[call-arg]


async def refused() -> None:
    await scheduler.schedule(cleanup, "0 2 * * *")  # type: ignore[arg-type]
    await scheduler.schedule(cleanup, Cron("@daily"), "id")  # type: ignore[call-arg]
    await scheduler.schedule(cleanup, Cron("@daily"), timeout=60)  # type: ignore[arg-type]
    await scheduler.schedule(cleanup, Cron("@daily"), overlaps="skip")  # type: ignore[call-arg]
    await scheduler.pause("hourly", "a reason")  # type: ignore[call-arg]
    await scheduler.sleep("grace", 60)  # type: ignore[arg-type]
    with scheduler.lock("import"):  # type: ignore[attr-defined]
        pass


def schedules() -> None:
    every = Interval(timedelta(hours=1), anchor=NOON, after="finish")
    for schedule in (Cron("0 0 1 1 *"), every, OneTime(NOON)):
        assert_type(schedule.next_after(NOON), datetime | None)
        assert_type(next(schedule.occurrences(NOON)), datetime)
        assert_type(schedule.describe(), str)


async def by_hand() -> None:
    clock = ManualClock(NOON)
    async with Scheduler("memory:", clock=clock):
        await clock.advance(timedelta(days=31))
    assert_type(clock.moment, datetime)
