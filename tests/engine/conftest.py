"""A scheduler on a manual clock: no test here waits for real time."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched import Scheduler
from nvent_sched._model.instants import MICROSECOND
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.errors import StoreUnavailableError
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

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


class Far:
    """The store at the end of a line that can be slow or cut.

    Attributes:
        cut: Verbs that do not get through; "*" for all.
        delays: How long verbs take, there and back.
        ahead: How far the store's own clock is ahead; None for a store without one.
        heartbeat_max: How rarely the store must hear of an instance at most.
    """

    def __init__(self, near: MemoryAdapter, clock: ManualClock) -> None:
        self._near, self._clock = near, clock
        self.cut: set[str] = set()
        self.delays: dict[str, timedelta] = {}
        self.ahead: timedelta | None = None
        self.heartbeat_max: timedelta | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the store has
        if name == "traits":
            most = self.heartbeat_max
            return replace(
                self._near.traits,
                has_own_clock=self.ahead is not None,
                heartbeat_us_max=None if most is None else most // MICROSECOND,
            )
        verb = getattr(self._near, name)
        if name == "close" or not inspect.iscoroutinefunction(verb):
            return verb

        @wraps(verb)
        async def call(*args: Any, **words: Any) -> Any:  # noqa: ANN401  passed on
            self._refuse_if_cut(name)
            await self._be_under_way(name)
            if self.ahead is not None and "now" in words:
                words["now"] = self._clock.now() + self.ahead // MICROSECOND
            answer = await verb(*args, **words)
            await self._be_under_way(name)
            self._refuse_if_cut(name)
            return answer

        return call

    async def _be_under_way(self, name: str) -> None:
        if delay := self.delays.get(name):
            await self._clock.sleep(delay / 2)

    def _refuse_if_cut(self, name: str) -> None:
        if self.cut & {name, "*"}:
            raise StoreUnavailableError(name)


@pytest.fixture
def near(clock: ManualClock) -> MemoryAdapter:
    """Make a store that several instances share."""
    # An answer that waits for the clock is nothing to wait for.
    clock.patience = 0.02
    return MemoryAdapter()


@pytest.fixture
def far(near: MemoryAdapter, clock: ManualClock) -> Far:
    return Far(near, clock)


@pytest.fixture
def instance(clock: ManualClock) -> Callable[..., Scheduler]:
    """Make instances whose heartbeats come often."""

    def make(store: Any, **more: Any) -> Scheduler:  # noqa: ANN401  passed on
        words: dict[str, Any] = {
            "clock": clock,
            "heartbeat": timedelta(seconds=1),
            "dead_after": timedelta(seconds=10),
            "lease": timedelta(seconds=60),
        }
        return Scheduler(store, **words | more)

    return make
