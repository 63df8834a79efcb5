"""A scheduler on a server: whose time it goes by, and what two of them share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from nvent_sched import OneTime, Scheduler
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from tests.conftest import Server

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def time_of(server: Server) -> datetime:
    """Ask what time it is there."""
    with server.client() as client:
        seconds, microseconds = client.time()
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)


async def nothing() -> None:
    """Do nothing."""


@pytest.mark.parametrize("runs_handlers", [True, False])
async def test_what_is_scheduled_counts_from_the_servers_time(
    url: str, server: Server, *, runs_handlers: bool
) -> None:
    wrong = ManualClock(datetime(1999, 1, 1, tzinfo=UTC))
    async with Scheduler(url, clock=wrong, runs_handlers=runs_handlers) as scheduler:
        job = await scheduler.schedule(nothing, OneTime(in_=HOUR), id="job")

    assert job.next_time is not None
    assert abs(job.next_time - HOUR - time_of(server)) < MINUTE


async def test_a_run_that_one_asks_for_another_makes(url: str) -> None:
    ran = anyio.Event()

    async def handler() -> str:
        ran.set()
        return "done"

    works, asks = Scheduler(url), Scheduler(url, runs_handlers=False)
    works.handler("work")(handler)
    async with works, asks:
        await asks.schedule("work", OneTime(in_=HOUR), id="job")
        run = await asks.wait_for(await asks.run_now("job"))

    assert ran.is_set()
    assert (run.outcome, run.result) == ("succeeded", "done")
