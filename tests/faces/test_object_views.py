"""Jobs, runs and pages of them as a notebook draws them."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from nvent_sched import Cron, Interval, Page, Retry, RunContext, Scheduler
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nvent_sched._model.showing import Shown

EVIL = '<script>alert("x")</script>&amp;'


class Read(HTMLParser):
    """What a browser would make of a view."""

    def __init__(self, shown: Shown) -> None:
        super().__init__()
        self.tags = set[str]()
        self.text = ""
        html = shown._repr_html_()
        assert html is not None
        self.feed(html.split("</style>", 1)[1])

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.tags.add(tag)
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def scheduler(clock: ManualClock) -> AsyncIterator[Scheduler]:
    async with Scheduler("memory:", clock=clock) as running:
        yield running


async def test_a_job_shows_when_it_runs_next_in_its_own_zone(
    scheduler: Scheduler,
) -> None:
    job = await scheduler.schedule(
        print, Cron("30 7 * * *", timezone="Asia/Tokyo"), id="report", tags=["ops"]
    )

    text = Read(job).text

    assert "2026-01-02 07:30:00 Asia/Tokyo" in text
    assert "report" in text
    assert "active" in text
    assert "ops" in text


async def test_a_paused_job_says_why(scheduler: Scheduler) -> None:
    await scheduler.schedule(print, Interval(hours=1), id="report")
    await scheduler.pause("report", reason="holidays")

    assert "paused (holidays)" in Read(await scheduler.get_job("report")).text


async def test_a_failed_run_shows_its_attempts_its_error_and_its_log(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    def fail(run: RunContext) -> None:
        run.log(f"trying, {run.attempt}")
        raise ValueError(run.attempt)

    retry = Retry(attempts=2, delay=timedelta(seconds=1))
    await scheduler.schedule(fail, Interval(hours=1), id="fail", retry=retry)
    await clock.advance(timedelta(hours=1, minutes=1))

    text = Read((await scheduler.runs("fail")).items[0]).text

    assert "✗ dead_lettered" in text or "✗ failed" in text
    assert "attempt 1" in text
    assert "ValueError: 1" in text
    assert "ValueError: 2" in text
    assert "trying, 2" in text


async def test_a_job_whose_run_is_going_says_so(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def work() -> None:
        await clock.sleep(timedelta(minutes=1))

    await scheduler.schedule(work, Interval(hours=1), id="work")
    await clock.advance(timedelta(hours=1, seconds=30))

    text = Read(await scheduler.snapshot()).text

    assert "running" in text


async def test_nothing_a_user_wrote_becomes_markup(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    def work(run: RunContext, *_: str) -> str:
        print(EVIL, file=run)
        if run.attempt == 1:
            raise ValueError(EVIL)
        return EVIL

    await scheduler.schedule(
        scheduler.handler(EVIL)(work),
        Interval(hours=1),
        id=EVIL,
        name=EVIL * 2,
        args=[EVIL],
        tags=[EVIL],
        metadata={EVIL: EVIL},
        retry=Retry(attempts=2, delay=timedelta(seconds=1)),
    )
    await clock.advance(timedelta(hours=1, minutes=1))
    await scheduler.pause(EVIL, reason=EVIL)

    jobs, runs = await scheduler.jobs(), await scheduler.runs()
    for shown in (*jobs, *runs, jobs, runs, await scheduler.snapshot()):
        read = Read(shown)
        assert "script" not in read.tags
        assert EVIL in read.text


async def test_pages_are_tables_and_say_that_there_is_more(
    scheduler: Scheduler,
) -> None:
    for number in range(3):
        await scheduler.schedule(print, Interval(hours=1), id=f"job-{number}")

    whole, part = await scheduler.jobs(), await scheduler.jobs(limit=2)

    assert Read(whole).text.count("every hour") == 3
    assert "there are more" not in Read(whole).text
    assert "the first 2 lines; there are more" in Read(part).text


def test_a_page_of_other_things_has_no_view() -> None:
    assert Page(items=("this", "that"))._repr_html_() is None


def test_an_empty_page_says_so() -> None:
    empty: Page[str] = Page(items=())

    assert "nothing here" in Read(empty).text
