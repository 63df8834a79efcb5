"""A clock that is set, or a machine that slept: noticed, counted, and nothing twice."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched import Interval, OneTime, Outcome, RunContext, Scheduler
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nvent_sched import RunSnapshot

SECOND, MINUTE, HOUR = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours")
)


@asynccontextmanager
async def told(scheduler: Scheduler, clock: ManualClock) -> AsyncIterator[list[str]]:
    """Collect what subscribers are told of jumps meanwhile."""
    jumps: list[str] = []

    async def listen() -> None:
        async for event in scheduler.events():
            if event.kind == "clock_jumped":
                jumps.append(event.detail)  # noqa: PERF401  as they come

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await clock.run_until_idle()
        yield jumps
        await clock.run_until_idle()
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("misfire", "made_up", "missed"),
    [("latest", [3], 2), ("earliest", [1], 2), ("skip", [], 3), ("all", [1, 2, 3], 0)],
)
async def test_what_a_jump_passed_over_is_resolved_at_once_by_the_misfire_rule(
    scheduler: Scheduler,
    clock: ManualClock,
    misfire: str,
    made_up: list[int],
    missed: int,
) -> None:
    began, times = clock.moment, list[datetime]()

    async def note(run: RunContext) -> None:
        times.append(run.scheduled_time)

    await scheduler.schedule(note, Interval(hours=1), id="n", misfire=misfire)
    await clock.run_until_idle()
    clock.jump(3 * HOUR + 10 * MINUTE)
    await clock.run_until_idle()

    assert times == [began + k * HOUR for k in made_up]
    counts = (await scheduler.stats("n")).counts
    assert counts.get(Outcome.MISSED, 0) == missed
    await clock.advance(HOUR)
    assert times[-1] == began + 4 * HOUR


async def test_a_one_time_job_that_a_jump_passed_over_is_run(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def greet() -> None:
        calls.append("hi")

    await scheduler.schedule(greet, OneTime(in_=HOUR), id="g")
    clock.jump(timedelta(days=2))
    await clock.run_until_idle()

    assert calls == ["hi"]


@pytest.mark.parametrize("hours", [3, -3])
async def test_a_jump_is_told_with_its_length(
    scheduler: Scheduler, clock: ManualClock, hours: int
) -> None:
    async with told(scheduler, clock) as jumps:
        clock.jump(hours * HOUR)

    assert jumps == [f"by {hours * 3600:+.1f} s"]


async def test_a_small_correction_is_not_told(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async with told(scheduler, clock) as jumps:
        clock.jump(timedelta(milliseconds=300))

    assert not jumps


async def test_nothing_fires_twice_after_the_clock_went_back(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    began, times = clock.moment, list[datetime]()

    async def note(run: RunContext) -> None:
        times.append(run.scheduled_time)

    await scheduler.schedule(note, Interval(minutes=10), id="n")
    await clock.advance(35 * MINUTE)
    clock.jump(-30 * MINUTE)
    await clock.advance(HOUR)

    assert times == [began + k * 10 * MINUTE for k in range(1, 7)]


async def test_the_instance_says_at_once_that_it_lives(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    """Others on other machines did not sleep and may take it for dead."""
    clock.jump(HOUR)
    await clock.run_until_idle()

    (instance,) = await scheduler.instances()
    assert instance.heartbeat_at == clock.moment


@pytest.mark.parametrize("hours", [3, -3])
async def test_health_is_not_misled_by_a_jump(
    scheduler: Scheduler, clock: ManualClock, hours: int
) -> None:
    clock.jump(hours * HOUR)

    health = await scheduler.health()
    assert max(health.pass_age.values()) < SECOND
    assert health.is_ok


async def test_health_and_check_say_that_a_job_stands_still_as_the_clock_was_ahead(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    await scheduler.schedule(int, Interval(seconds=1), id="tick")
    await scheduler.schedule(int, Interval(hours=50), id="rare")
    clock.jump(24 * HOUR)
    await clock.advance(2 * SECOND)
    clock.jump(-24 * HOUR)
    await clock.run_until_idle()

    health, summary = await scheduler.health(), await scheduler.check()

    (problem,) = health.problems
    assert problem.startswith("job 'tick' is not due before 2026-03-03 12:00:0")
    assert (health.is_ok, summary.ahead) == (False, (problem,))
    assert summary.findings == ()

    await scheduler.pause("tick")
    await scheduler.resume("tick")
    assert (await scheduler.health()).problems == (problem,)

    await scheduler.reschedule("tick", Interval(seconds=2))
    await scheduler.reschedule("tick", Interval(seconds=1))
    await clock.advance(2 * SECOND)
    assert (await scheduler.health()).is_ok
    assert (await scheduler.check()).ahead == ()
    assert (await scheduler.get_job("tick")).next_due == clock.moment + SECOND


async def test_a_time_limit_counts_time_and_not_the_clock_on_the_wall(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def endless() -> None:
        await clock.sleep(timedelta(days=1))

    await scheduler.schedule(
        endless, OneTime(clock.moment), id="e", timeout=timedelta(seconds=30)
    )
    await clock.run_until_idle()
    clock.jump(HOUR)
    await clock.advance(29 * SECOND)
    (going,) = await scheduler.runs("e")
    clock.jump(-2 * HOUR)
    await clock.advance(SECOND)

    (run,) = await scheduler.runs("e")
    assert (going.state, run.outcome) == ("claimed", "timed_out")


@pytest.mark.parametrize(
    ("misfire", "outcome"), [("skip", "missed"), ("latest", "succeeded")]
)
async def test_a_run_that_was_claimed_before_the_machine_slept_obeys_the_rule(
    scheduler: Scheduler,
    clock: ManualClock,
    calls: list[str],
    misfire: str,
    outcome: str,
) -> None:
    async def note() -> None:
        calls.append("began")

    await scheduler.schedule(note, Interval(minutes=1), id="n", misfire=misfire)
    await clock.advance(timedelta(seconds=59.9))
    (claimed,) = await scheduler.runs("n")
    clock.jump(HOUR)
    await clock.run_until_idle()

    assert claimed.state == "claimed"
    assert (await scheduler.get_run(claimed)).outcome == outcome


STEP = Interval(minutes=7)
moves = st.lists(
    st.tuples(st.booleans(), st.integers(min_value=-7_200, max_value=7_200)),
    max_size=8,
)


def occurrences_of(run: RunSnapshot) -> list[datetime]:
    """List what a record stands for."""
    length = timedelta(minutes=7)
    return [run.scheduled_time + k * length for k in range(run.count)]


@given(moves=moves, misfire=st.sampled_from(["latest", "earliest", "skip", "all"]))
async def test_however_the_clock_moves_each_occurrence_has_one_record(
    moves: list[tuple[bool, int]], misfire: str
) -> None:
    clock = ManualClock(datetime(2026, 3, 2, 12, tzinfo=UTC))
    began, newest = clock.moment, clock.moment

    async def note() -> None: ...

    async with Scheduler(
        "memory:",
        clock=clock,
        history_runs=10_000,
        heartbeat=10 * MINUTE,
        dead_after=HOUR,
        lease=2 * HOUR,
    ) as scheduler:
        await scheduler.schedule(note, STEP, id="n", misfire=misfire)
        await clock.run_until_idle()
        for is_jump, seconds in moves:
            if is_jump:
                clock.jump(seconds * SECOND)
                await clock.run_until_idle()
            else:
                await clock.advance(abs(seconds) * SECOND)
            newest = max(newest, clock.moment)
        records = await scheduler.runs("n", limit=1_000)

    seen = sorted(each for run in records for each in occurrences_of(run))
    due = (newest - began) // timedelta(minutes=7)
    # One more may be claimed already: a moment ahead of its time.
    assert seen in (
        [began + k * timedelta(minutes=7) for k in range(1, due + 1 + ahead)]
        for ahead in (0, 1)
    )


async def test_nobody_is_taken_for_dead_because_the_clock_was_set(
    clock: ManualClock, calls: list[str]
) -> None:
    store = MemoryAdapter()

    async def long(run: RunContext) -> None:
        calls.append(run.id)
        await clock.sleep(HOUR)

    async with Scheduler(store, clock=clock) as one, Scheduler(store, clock=clock):
        one.handler("long")(long)
        await one.schedule("long", OneTime(clock.moment), id="long")
        await clock.advance(SECOND)
        clock.jump(2 * HOUR)
        await clock.advance(10 * MINUTE)

        (run,) = await one.runs("long")
    assert len(calls) == 1
    assert (run.state, run.attempts) == ("claimed", ())
