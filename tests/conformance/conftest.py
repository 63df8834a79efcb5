"""Our own adapters, for the suite that every adapter must pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.testing.conformance.builders import NOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from nvent_sched._port import Adapter


@pytest.fixture(params=["memory"])
def kind(request: pytest.FixtureRequest) -> str:
    """Name the adapter under test."""
    name: str = request.param
    return name


@pytest.fixture
def new_adapter(kind: str, tmp_path: Path) -> Callable[[], Adapter]:
    def new() -> Adapter:
        return MemoryAdapter()

    return new


@pytest.fixture
def same_store(kind: str) -> Callable[[Adapter], Adapter | None]:
    return lambda _: None


@pytest.fixture
async def adapter(new_adapter: Callable[[], Adapter]) -> AsyncIterator[Adapter]:
    opened = new_adapter()
    await opened.open(now=NOON)
    yield opened
    await opened.close()


@pytest.fixture
def corrupt_definition(adapter: Adapter) -> Callable[[str], Awaitable[None]]:
    async def corrupt(job_id: str) -> None:
        assert isinstance(adapter, MemoryAdapter)
        jobs = adapter._tables.jobs
        jobs[job_id] = replace(jobs[job_id], text="{")

    return corrupt
