"""The live picture of a store, drawn from the status model."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

import pytest
from rich.console import Console

from nvent_sched import Interval, Scheduler
from nvent_sched.cli.standing import standing
from nvent_sched.scheduler._following import follower_of
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WIDTH = 120


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def scheduler(clock: ManualClock) -> AsyncIterator[Scheduler]:
    async with Scheduler("memory:", clock=clock) as running:
        yield running


async def drawn(scheduler: Scheduler, *, width: int = WIDTH, rows_max: int = 9) -> str:
    follower = follower_of(scheduler)
    await follower.load()
    console = Console(width=width, color_system=None)
    with console.capture() as shown:
        console.print(
            standing(follower.model, now=follower.now, width=width, rows_max=rows_max)
        )
    return shown.get()


def fail() -> NoReturn:
    msg = "no bread today"
    raise LookupError(msg)


async def nothing() -> None: ...


async def test_what_fails_comes_first_and_says_why(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    await scheduler.schedule(nothing, Interval(minutes=1), id="a-calm-one")
    await scheduler.schedule(fail, Interval(minutes=1), id="broken")
    await clock.advance(timedelta(minutes=2, seconds=10))

    text = await drawn(scheduler)

    assert text.index("broken") < text.index("a-calm-one")
    assert "LookupError: no bread today" in text
    assert "1 failing" in text
    assert "4 runs" in text


async def test_a_paused_job_says_why(scheduler: Scheduler) -> None:
    await scheduler.schedule(nothing, Interval(hours=1), id="job")
    await scheduler.pause("job", reason="until Monday")

    text = await drawn(scheduler)

    assert "‖ paused" in text
    assert "until Monday" in text


async def test_what_a_screen_has_no_room_for_is_counted(scheduler: Scheduler) -> None:
    for number in range(12):
        await scheduler.schedule(nothing, Interval(hours=1), id=f"job{number}")

    text = await drawn(scheduler)

    assert "the first 9 of 12 jobs" in text


@pytest.mark.parametrize("width", [60, 80, 200])
async def test_it_is_no_wider_than_the_screen(scheduler: Scheduler, width: int) -> None:
    await scheduler.schedule(nothing, Interval(hours=1), id="x" * 90)

    text = await drawn(scheduler, width=width)

    assert max(map(len, text.splitlines())) <= width


async def test_what_patterns_keep_is_not_shown_as_a_job(scheduler: Scheduler) -> None:
    await scheduler.start_watchdog("flow-7", timeout=timedelta(hours=1))

    text = await drawn(scheduler)

    assert "flow-7" not in text
    assert "0 jobs" in text
