"""An edit that comes when the next occurrence is in memory already."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from nvent_sched import Cron, Interval, OneTime
from nvent_sched.errors import UsageError
from tests.engine.conftest import START

if TYPE_CHECKING:
    from nvent_sched import Scheduler
    from nvent_sched._model.schedules import Schedule
    from nvent_sched.testing import ManualClock

MINUTE = timedelta(minutes=1)
JUST_BEFORE = MINUTE - timedelta(milliseconds=100)


async def nothing() -> None: ...


async def outcomes(scheduler: Scheduler) -> list[str]:
    return [str(run.outcome) for run in await scheduler.runs("job")]


@pytest.mark.parametrize("schedule", [Cron("* * * * *"), OneTime(START + MINUTE)])
async def test_an_edit_just_before_its_time_takes_no_occurrence_away(
    scheduler: Scheduler, clock: ManualClock, schedule: Schedule
) -> None:
    await scheduler.schedule(nothing, schedule, id="job")
    await clock.advance(JUST_BEFORE)

    await scheduler.schedule(nothing, schedule, id="job", tags=["new"])
    await clock.advance(timedelta(milliseconds=200))

    assert await outcomes(scheduler) == ["succeeded"]


async def test_another_schedule_that_has_the_occurrence_too_keeps_it(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    await scheduler.schedule(nothing, Cron("* * * * *"), id="job")
    await clock.advance(JUST_BEFORE)

    await scheduler.reschedule("job", Cron("1 12 * * *"))
    await clock.advance(timedelta(milliseconds=200))

    assert await outcomes(scheduler) == ["succeeded"]
    assert (await scheduler.stats("job")).skipped == 0


@pytest.mark.parametrize(
    "schedule", [Cron("0 * * * *"), Interval(minutes=1, after="finish")]
)
async def test_another_schedule_that_has_it_not_cancels_it(
    scheduler: Scheduler, clock: ManualClock, schedule: Schedule
) -> None:
    await scheduler.schedule(nothing, Cron("* * * * *"), id="job")
    await clock.advance(JUST_BEFORE)

    await scheduler.reschedule("job", schedule)
    await clock.advance(timedelta(milliseconds=200))

    assert await outcomes(scheduler) == ["cancelled"]


async def test_a_run_by_hand_outlives_an_edit(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    await scheduler.schedule(nothing, Interval(hours=1), id="job")
    await scheduler.run_now("job")

    await scheduler.reschedule("job", Interval(hours=2))
    await clock.run_until_idle()

    assert await outcomes(scheduler) == ["succeeded"]


async def test_an_occurrence_that_has_run_is_not_run_again_by_whatever_schedule(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    began: list[str] = []

    async def note() -> None:
        began.append(clock.moment.isoformat())

    await scheduler.schedule(note, Cron("* * * * *"), id="job")
    await clock.advance(MINUTE)
    clock.jump(-MINUTE / 2)

    await scheduler.reschedule("job", Cron("1 12 * * *"))
    await clock.advance(MINUTE)

    assert len(began) == 1
    assert await outcomes(scheduler) == ["succeeded"]


async def test_a_run_by_hand_takes_no_more_arguments_than_a_job(
    scheduler: Scheduler,
) -> None:
    await scheduler.schedule("work", Interval(hours=1), id="job")

    with pytest.raises(UsageError, match="arguments of a run of job 'job' take"):
        await scheduler.run_now("job", args=["x" * 256 * 1024])

    assert (await scheduler.runs("job")).items == ()


async def test_a_new_schedule_may_come_with_new_tags_and_metadata(
    scheduler: Scheduler,
) -> None:
    await scheduler.schedule(
        "work", Interval(hours=1), id="job", tags=["old"], metadata={"owner": "ada"}
    )

    job = await scheduler.reschedule("job", Interval(hours=2), tags=["new"])
    assert (job.tags, job.metadata) == (("new",), {"owner": "ada"})

    job = await scheduler.reschedule(
        "job", Interval(hours=2), metadata={"owner": "bob"}
    )
    assert (job.tags, job.metadata) == (("new",), {"owner": "bob"})
