"""What another process has for us is heard of at once, where the kernel tells."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.adapters.sqlite.hints import HintThread
from nvent_sched.testing.conformance.builders import NOON, a_job
from nvent_sched.testing.conformance.steps import beat, put

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATIENCE_S = 20
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells (inotify)"
)


@pytest.fixture
async def ours(tmp_path: Path) -> AsyncIterator[SqliteAdapter]:
    opened = SqliteAdapter(tmp_path / "jobs.db", synchronous="OFF")
    await opened.open(now=NOON)
    yield opened
    await opened.close()


@pytest.fixture
async def theirs(tmp_path: Path, ours: SqliteAdapter) -> AsyncIterator[SqliteAdapter]:
    assert ours.url.endswith("jobs.db")
    opened = SqliteAdapter(tmp_path / "jobs.db", synchronous="OFF")
    await opened.open(now=NOON)
    yield opened
    await opened.close()


@pytest.mark.parametrize("is_living_first", [True, False])
async def test_a_job_of_another_rings_for_us(
    ours: SqliteAdapter,
    theirs: SqliteAdapter,
    is_living_first: bool,  # noqa: FBT001  a parameter
) -> None:
    heard = threading.Event()
    if is_living_first:
        await beat(ours, "ours")
    ours.on_hint(heard.set)
    if not is_living_first:
        await beat(ours, "ours")

    await put(theirs, a_job("one"))

    assert await anyio.to_thread.run_sync(heard.wait, PATIENCE_S)


async def test_nobody_rings_for_itself(
    ours: SqliteAdapter, theirs: SqliteAdapter
) -> None:
    heard: list[str] = []
    told = threading.Event()
    await beat(ours, "ours")
    await beat(theirs, "theirs")
    ours.on_hint(lambda: heard.append("ours"))
    theirs.on_hint(told.set)

    await put(ours, a_job("one"))

    assert await anyio.to_thread.run_sync(told.wait, PATIENCE_S)
    assert heard == []


async def test_a_thread_without_a_file_ends() -> None:
    hints = HintThread(hint=pytest.fail)

    await hints.end()


async def test_the_thread_ends_while_a_forked_child_is_alive() -> None:
    hints = HintThread(hint=pytest.fail)
    inherited = os.dup(hints._bell)  # what a fork would have left with it

    await hints.end()

    os.close(inherited)
