"""Jobs fire when they are due, once, and leave a record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched import Cron, Interval, JobSpec, OneTime, RunContext, Scheduler
from nvent_sched.adapters import open_adapter
from nvent_sched.errors import UsageError
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

SECOND = timedelta(seconds=1)


async def test_an_interval_fires_at_each_multiple_of_its_length(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    times: list[datetime] = []

    async def note(run: RunContext) -> None:
        times.append(run.scheduled_time)

    began = clock.moment
    await scheduler.schedule(note, Interval(seconds=10), id="note")
    await clock.advance(timedelta(seconds=35))

    assert times == [began + k * 10 * SECOND for k in (1, 2, 3)]


async def test_a_cron_fires_at_its_wall_times(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    times: list[datetime] = []

    async def note(run: RunContext) -> None:
        times.append(run.scheduled_time)

    await scheduler.schedule(note, Cron("*/15 * * * *"), id="note")
    await clock.advance(timedelta(minutes=31))

    assert [(t.hour, t.minute) for t in times] == [(12, 15), (12, 30)]


async def test_a_one_time_job_fires_once_and_is_finished(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def greet(name: str) -> None:
        calls.append(name)

    await scheduler.schedule(greet, OneTime(in_=SECOND), id="hi", args=["ada"])
    await clock.advance(10 * SECOND)

    assert calls == ["ada"]
    assert (await scheduler.get_job("hi")).status == "finished"


async def test_a_one_time_job_of_the_past_fires_at_once(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def greet() -> None:
        calls.append("hi")

    await scheduler.schedule(greet, OneTime(clock.moment - timedelta(days=400)), id="x")
    await clock.run_until_idle()

    assert calls == ["hi"]


async def test_nothing_fires_early(scheduler: Scheduler, clock: ManualClock) -> None:
    early: list[timedelta] = []

    async def note(run: RunContext) -> None:
        early.append(run.scheduled_time - clock.moment)

    await scheduler.schedule(note, Interval(milliseconds=700), id="note")
    await clock.advance(10 * SECOND)

    assert len(early) == 14
    assert max(early) == timedelta(0)


async def test_a_plain_function_runs_and_its_result_is_kept(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    def add(a: int, b: int = 0) -> int:
        return a + b

    await scheduler.schedule(
        add, OneTime(in_=SECOND), id="add", args=[2], kwargs={"b": 3}
    )
    await clock.advance(2 * SECOND)

    (run,) = await scheduler.runs("add")
    assert run.outcome == "succeeded"
    assert run.result == 5


async def test_a_run_has_all_four_times(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def work() -> None: ...

    due = clock.moment + SECOND
    await scheduler.schedule(work, OneTime(due), id="work")
    await clock.advance(2 * SECOND)

    (run,) = await scheduler.runs("work")
    assert (run.scheduled_time, run.due_time) == (due, due)
    assert (run.started_at, run.finished_at) == (due, due)


async def test_jitter_delays_the_same_way_each_time(clock: ManualClock) -> None:
    async def note() -> None: ...

    async def due_times() -> list[datetime]:
        own = ManualClock(clock.moment)
        async with Scheduler("memory:", clock=own) as scheduler:
            await scheduler.schedule(
                note, Interval(minutes=1), id="note", jitter=timedelta(seconds=30)
            )
            await own.advance(timedelta(minutes=5))
            return [run.due_time for run in await scheduler.runs("note")]

    first, second = await due_times(), await due_times()

    assert first == second
    assert len({due.second for due in first}) > 1


async def test_max_runs_finishes_a_job(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def note() -> None:
        calls.append("x")

    await scheduler.schedule(note, Interval(seconds=1), id="note", max_runs=3)
    await clock.advance(10 * SECOND)

    assert len(calls) == 3
    assert (await scheduler.get_job("note")).status == "finished"


async def test_nothing_fires_outside_the_bounds(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    times: list[datetime] = []

    async def note(run: RunContext) -> None:
        times.append(run.scheduled_time)

    began = clock.moment
    await scheduler.schedule(
        note,
        Interval(seconds=1),
        id="note",
        starts_at=began + 3 * SECOND,
        ends_at=began + 5 * SECOND,
    )
    await clock.advance(10 * SECOND)

    assert times == [began + k * SECOND for k in (3, 4, 5)]


async def test_an_interval_after_finish_counts_from_the_end_of_a_run(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    starts: list[datetime] = []
    began = clock.moment

    async def work() -> None:
        starts.append(clock.moment)
        await clock.sleep(2 * SECOND)

    await scheduler.schedule(work, Interval(seconds=3, after="finish"), id="work")
    await clock.advance(14 * SECOND)

    assert starts == [began + k * SECOND for k in (3, 8, 13)]


async def test_many_jobs_are_stored_in_one_call_and_all_fire(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    seen: set[int] = set()

    async def note(number: int) -> None:
        seen.add(number)

    at = clock.moment + SECOND
    specs = [JobSpec(note, OneTime(at), id=f"n{k}", args=[k]) for k in range(700)]
    ids = await scheduler.schedule_many(specs)
    await clock.advance(3 * SECOND)

    assert len(ids) == 700
    assert seen == set(range(700))


@pytest.mark.parametrize(
    ("if_exists", "counts"), [("update", "third"), ("keep", "first")]
)
async def test_jobs_with_one_id_count_in_their_order(
    scheduler: Scheduler, calls: list[str], if_exists: str, counts: str
) -> None:
    scheduler.handler("note")(calls.append)
    texts = ["first", "second", "third"]
    specs = [JobSpec("note", Interval(hours=1), id="a", args=[each]) for each in texts]

    ids = await scheduler.schedule_many(specs, if_exists=if_exists)
    await scheduler.wait_for(await scheduler.run_now("a"))

    assert ids == ("a", "a", "a")
    assert calls == [counts]


@pytest.mark.parametrize("jobs", [None, 5, "ab", [None]])
async def test_what_are_no_jobs_is_refused(scheduler: Scheduler, jobs: Any) -> None:  # noqa: ANN401  checked there
    with pytest.raises(UsageError, match=r"jobs must be a list of JobSpec\(...\)"):
        await scheduler.schedule_many(jobs)


async def test_options_that_are_none_are_refused(scheduler: Scheduler) -> None:
    options: Any = 5

    with pytest.raises(UsageError, match=r"options must be a mapping .*, not 5"):
        await scheduler.schedule_many(
            [JobSpec("note", Interval(hours=1), options=options)]
        )


async def test_a_job_declared_by_decorator_fires(
    store: str, clock: ManualClock, calls: list[str]
) -> None:
    scheduler = Scheduler(store, clock=clock)

    @scheduler.job(Interval(seconds=1), id="tick", name="Tick tock", tags=["ops"])
    async def tick() -> None:
        calls.append("tick")

    async with scheduler:
        await clock.advance(2 * SECOND)
        job = await scheduler.get_job("tick")

    assert calls == ["tick", "tick"]
    assert (job.name, job.tags) == ("Tick tock", ("ops",))


async def test_a_job_declared_while_running_fires(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    @scheduler.job(Interval(seconds=1), id="late")
    async def late() -> None:
        calls.append("late")

    await clock.advance(2 * SECOND)

    assert calls


async def test_a_month_of_cron_takes_no_time(calls: list[str]) -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))

    async def backup() -> None:
        calls.append("backup")

    async with Scheduler(
        "memory:",
        clock=clock,
        heartbeat=timedelta(hours=1),
        dead_after=timedelta(hours=4),
        lease=timedelta(hours=8),
    ) as scheduler:
        await scheduler.schedule(backup, Cron("0 2 * * *"), id="backup")
        await clock.advance(timedelta(days=31))

    assert len(calls) == 31


@pytest.mark.parametrize(
    "schedule", [Interval(seconds=1), Cron("* * * * * *")], ids=["interval", "cron"]
)
async def test_restarting_keeps_the_phase(
    tmp_path: Path, clock: ManualClock, schedule: Interval | Cron
) -> None:
    adapter = open_adapter(f"sqlite:///{tmp_path}/jobs.db")
    times: list[datetime] = []

    async def note(run: RunContext) -> None:
        times.append(run.scheduled_time)

    for _ in range(2):
        async with Scheduler(adapter, clock=clock) as scheduler:
            await scheduler.schedule(note, schedule, id="note")
            await clock.advance(timedelta(seconds=2.4))

    steps = {after - before for before, after in pairwise(times)}
    assert steps == {SECOND}
    assert len(times) == 4
