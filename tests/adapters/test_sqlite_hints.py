"""What another process writes is heard of at once, where the kernel tells."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.adapters.sqlite.hints import HintThread, OwnWrites
from nvent_sched.testing.conformance.builders import NOON, a_job, a_write

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells (inotify)")
async def test_a_commit_of_another_gives_a_hint(tmp_path: Path) -> None:
    ours, theirs = (SqliteAdapter(tmp_path / "jobs.db") for _ in range(2))
    heard = threading.Event()
    await ours.open(now=NOON)
    await theirs.open(now=NOON)
    ours.on_hint(heard.set)

    await theirs.put_jobs([a_write(a_job("one"))], now=NOON)

    assert await anyio.to_thread.run_sync(heard.wait, PATIENCE_S)
    await ours.close()
    await theirs.close()


def test_what_we_wrote_last_is_known_for_ours(tmp_path: Path) -> None:
    log = tmp_path / "jobs.db-wal"
    own = OwnWrites(str(log))

    own.begin()
    log.write_bytes(b"ours")
    own.end()

    assert own.written_ns() == own.last_ns
    assert not own.are_under_way


async def test_without_a_log_there_is_nothing_to_end(tmp_path: Path) -> None:
    path = str(tmp_path / "none")
    hints = HintThread(path, OwnWrites(path), hint=pytest.fail)

    await hints.end()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells (inotify)")
async def test_the_thread_ends_while_a_forked_child_is_alive(tmp_path: Path) -> None:
    log = tmp_path / "jobs.db-wal"
    log.touch()
    hints = HintThread(str(log), OwnWrites(str(log)), hint=pytest.fail)
    childs = os.dup(hints._bell)  # what a fork would have left with it

    await hints.end()

    os.close(childs)
