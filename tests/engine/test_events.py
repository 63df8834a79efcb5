"""What a reader of events hears, from when, and until when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from nvent_sched import Interval, Scheduler

if TYPE_CHECKING:
    from nvent_sched import EventStream
    from nvent_sched.testing import ManualClock

HOURLY = Interval(hours=1)


async def work() -> None: ...


async def rest_of(events: EventStream) -> list[tuple[str, str | None]]:
    return [(event.kind, event.job_id) async for event in events]


async def test_a_reader_hears_all_that_happens_after_it_began_to_listen(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    await scheduler.schedule(work, HOURLY, id="before")
    await clock.run_until_idle()

    async with scheduler.events() as events:
        await scheduler.schedule(work, HOURLY, id="after")
        await scheduler.run_now("after")
        await clock.run_until_idle()
        await scheduler.stop(grace=timedelta(0))
        heard = await rest_of(events)

    assert [kind for kind, job in heard if job == "after"] == [
        "job_added",
        "run_started",
        "run_finished",
    ]
    assert "before" not in {job for _, job in heard}


async def test_every_reader_hears_everything(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async with scheduler.events() as one, scheduler.events() as other:
        await scheduler.schedule(work, HOURLY, id="w")
        await clock.run_until_idle()
        await scheduler.stop(grace=timedelta(0))

        assert await rest_of(one) == await rest_of(other) != []


async def test_a_reader_that_is_left_hears_nothing_more(scheduler: Scheduler) -> None:
    async with scheduler.events() as events:
        pass

    await scheduler.schedule(work, HOURLY, id="w")

    assert await rest_of(events) == []


async def test_a_reader_may_be_dropped_in_the_middle(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    await scheduler.schedule(work, HOURLY, id="w")

    async with scheduler.events() as told:
        await scheduler.run_now("w")
        await clock.run_until_idle()
        async for event in told:
            assert event.kind == "run_started"
            break
    await scheduler.run_now("w")
    await clock.run_until_idle()

    assert (await scheduler.stats("w")).runs == 2
