"""A scheduler on a manual clock: no test here waits for real time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from nvent_sched import Scheduler
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(params=["memory:", "sqlite:///:memory:"], ids=["memory", "sqlite"])
def store(request: pytest.FixtureRequest) -> str:
    url: str = request.param
    return url


@pytest.fixture
async def scheduler(store: str, clock: ManualClock) -> AsyncIterator[Scheduler]:
    # Rare heartbeats, so that hours under the manual clock are few steps.
    async with Scheduler(
        store,
        clock=clock,
        heartbeat=timedelta(minutes=1),
        dead_after=timedelta(minutes=3),
    ) as running:
        yield running


@pytest.fixture
def calls() -> list[str]:
    """What handlers were called with, in order."""
    return []
