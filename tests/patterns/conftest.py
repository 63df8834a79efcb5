"""One store, several schedulers on it, one manual clock: no test here waits for time."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from nvent_sched import Scheduler
from nvent_sched._model.queries import JobQuery
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.adapters.redis import RedisAdapter
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.errors import StoreUnavailableError
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from nvent_sched._port import Adapter
    from tests.conftest import Server

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Told:
    """An adapter that is counted, and that can be out of reach.

    Attributes:
        calls: How often each verb was called.
        is_gone: Whether every verb fails.
    """

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.calls = Counter[str]()
        self.is_gone = False
        self._speaks = anyio.Event()
        self._speaks.set()

    def fall_silent(self) -> None:
        """Answer nothing from now on."""
        self._speaks = anyio.Event()

    def go_on(self) -> None:
        """Answer again, also what was asked meanwhile."""
        self._speaks.set()

    @property
    def traits(self) -> Any:  # noqa: ANN401  the adapter's own
        return self._adapter.traits

    @property
    def url(self) -> str:
        return self._adapter.url

    def on_hint(self, hint: Callable[[], None]) -> None:
        self._adapter.on_hint(hint)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the adapter has
        verb = getattr(self._adapter, name)

        @wraps(verb)
        async def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  passed on
            self.calls[name] += 1
            if self.is_gone and name != "close":
                msg = "the store is out of reach"
                raise StoreUnavailableError(msg)
            await self._speaks.wait()
            return await verb(*args, **kwargs)

        self.__dict__[name] = call
        return call


async def stored_in(scheduler: Scheduler) -> dict[str, str]:
    """Say which jobs the store has, those included that stand for waits."""
    page = await scheduler._core("stored").adapter.read_jobs(JobQuery(limit=10_000))
    return {job.id: str(job.status) for job in page.items}


class Stores:
    """Where the schedulers of one test keep what they keep."""

    def __init__(self, make: Callable[[], Adapter], clock: ManualClock) -> None:
        self._make, self.clock = make, clock

    def adapter(self) -> Told:
        """Open the store once more."""
        return Told(self._make())

    @asynccontextmanager
    async def scheduler(
        self,
        adapter: Told | None = None,
        **settings: Any,  # noqa: ANN401  Scheduler's own
    ) -> AsyncIterator[Scheduler]:
        """Start one more scheduler on it, with rare heartbeats."""
        used: Any = adapter or self.adapter()
        beats = {
            "heartbeat": timedelta(minutes=10),
            "dead_after": timedelta(hours=1),
            "lease": timedelta(hours=2),
        }
        async with Scheduler(used, clock=self.clock, **(beats | settings)) as started:
            yield started


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(
    params=[
        ("asyncio", "memory"),
        ("trio", "memory"),
        ("trio", "sqlite"),
        ("asyncio", "redis"),
    ],
    ids="-".join,
)
def setting(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A loop and a kind of store: each of both, and not each with each."""
    chosen: tuple[str, str] = request.param
    return chosen


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run on the loop that goes with the store, or with both."""
    if "setting" in request.fixturenames:
        loop: str = request.getfixturevalue("setting")[0]
        return loop
    return "asyncio"


@pytest.fixture
def stores(
    setting: tuple[str, str],
    clock: ManualClock,
    tmp_path: Path,
    servers: Callable[[str], Server],
) -> Stores:
    """A store that nobody has used."""
    kind = setting[1]
    if kind == "memory":
        shared = MemoryAdapter()
        return Stores(lambda: shared, clock)
    if kind == "sqlite":
        path = tmp_path / "jobs.db"
        return Stores(lambda: SqliteAdapter(path, synchronous="OFF"), clock)
    url = servers("valkey").url
    return Stores(lambda: RedisAdapter(url, has_own_clock=False), clock)


@pytest.fixture
async def scheduler(stores: Stores) -> AsyncIterator[Scheduler]:
    async with stores.scheduler() as started:
        yield started


@pytest.fixture
def gathered() -> Callable[[], AbstractAsyncContextManager[Gathering]]:
    """Run several things at a time and see how each ended."""
    return Gathering.open


class Gathering:
    """Tasks of a test, with what each returned or raised, in the order of their ends."""

    def __init__(self, tasks: anyio.abc.TaskGroup) -> None:
        self._tasks = tasks
        self.ended: list[Any] = []

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[Gathering]:
        async with anyio.create_task_group() as tasks:
            yield cls(tasks)

    def add(self, work: Callable[[], Any]) -> None:
        self._tasks.start_soon(self._make, work)

    async def _make(self, work: Callable[[], Any]) -> None:
        try:
            self.ended.append(await work())
        except Exception as error:  # noqa: BLE001  looked at by the test
            self.ended.append(error)
