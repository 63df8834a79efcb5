"""Our own adapters, for the suite that every adapter must pass."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest

from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.adapters.redis import RedisAdapter
from nvent_sched.adapters.redis.connecting import connect
from nvent_sched.adapters.redis.keys import Keys
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.testing.conformance.builders import NOON

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from nvent_sched._port import Adapter
    from tests.conftest import Server

HAS_REDIS = shutil.which("redis-server") is not None
STORES = ["memory", "sqlite", "sqlite in memory", "valkey", "redis"]


@pytest.fixture(params=[each for each in STORES if each != "redis" or HAS_REDIS])
def new_adapter(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    servers: Callable[[str], Server],
) -> Callable[[], Adapter]:
    """Make adapters of one kind, each on a store of its own."""
    numbers = count()

    def on_file() -> Adapter:
        # What is answered is on its way to the disk, which no test here waits for.
        return SqliteAdapter(tmp_path / f"{next(numbers)}.db", synchronous="OFF")

    def on_server() -> Adapter:
        # The tests live in 2026, whatever the server's clock says.
        return RedisAdapter(servers(request.param).url, has_own_clock=False)

    makers: dict[str, Callable[[], Adapter]] = {
        "memory": MemoryAdapter,
        "sqlite": on_file,
        "sqlite in memory": partial(SqliteAdapter, ":memory:"),
        "valkey": on_server,
        "redis": on_server,
    }
    return makers[request.param]


@pytest.fixture
def same_store() -> Callable[[Adapter], Adapter | None]:
    """Make another adapter on the file of this one."""

    def again(adapter: Adapter) -> Adapter | None:
        if not adapter.traits.is_shared:
            return None
        if isinstance(adapter, RedisAdapter):
            return RedisAdapter(adapter._location, has_own_clock=False)
        assert isinstance(adapter, SqliteAdapter)
        return SqliteAdapter(adapter._path, synchronous="OFF")

    return again


@pytest.fixture
async def adapter(new_adapter: Callable[[], Adapter]) -> AsyncIterator[Adapter]:
    """Open an adapter for the time of a test."""
    opened = new_adapter()
    await opened.open(now=NOON)
    yield opened
    await opened.close()


@pytest.fixture
def corrupt_definition(adapter: Adapter) -> Callable[[str], Awaitable[None]]:
    """Overwrite the stored definition of a job by what cannot be read."""

    def overwrite(connection: sqlite3.Connection, job_id: str) -> None:
        connection.execute("UPDATE jobs SET definition = '{' WHERE id = ?", [job_id])

    async def corrupt(job_id: str) -> None:
        if isinstance(adapter, MemoryAdapter):
            jobs = adapter._tables.jobs
            jobs[job_id] = replace(jobs[job_id], text="{")
        elif isinstance(adapter, RedisAdapter):
            key = Keys(adapter._location.prefix)["definitions"]
            with connect(adapter._location, slot_key=key) as client:
                client.hset(key, job_id, "{")
        else:
            assert isinstance(adapter, SqliteAdapter)
            await adapter._write(partial(overwrite, job_id=job_id))

    return corrupt
