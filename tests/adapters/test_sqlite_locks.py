"""The operating system's locks: who is dead is seen at once, and nobody who is not."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, TypeAlias

import pytest

from nvent_sched.testing.conformance.builders import NOON, a_job, a_run, at
from nvent_sched.testing.conformance.steps import beat, claim, insert, put

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from nvent_sched.adapters.sqlite import SqliteAdapter
    from tests.adapters.conftest import Other

    Another: TypeAlias = Callable[..., AbstractContextManager[Other]]
    Dead: TypeAlias = Callable[..., Awaitable[tuple[list[str], list[str]]]]


async def test_a_killed_process_is_dead_though_a_child_of_it_lives(
    adapter: SqliteAdapter, path: Path, another: Another, dead: Dead
) -> None:
    await put(adapter, a_job())
    (run,) = await insert(adapter, a_run())
    with another("fork", path) as other:
        child = int(other.line())
        try:
            other.until_ready()
            other.kill()

            assert await dead(adapter) == ([run.id], ["other"])
        finally:
            os.kill(child, signal.SIGKILL)


async def test_who_was_silent_for_too_long_and_is_heard_again_is_not_dead(
    adapter: SqliteAdapter, second: SqliteAdapter, dead: Dead
) -> None:
    await put(adapter, a_job())
    await insert(adapter, a_run())
    await beat(adapter, "asleep", now=NOON)
    await claim(adapter, instance="asleep")
    assert await dead(second, seconds=100) == (["run"], ["asleep"])

    await beat(adapter, "asleep", now=at(101))

    assert await dead(second, seconds=102) == ([], [])


async def test_whose_lock_was_deleted_by_hand_takes_it_again(
    adapter: SqliteAdapter, second: SqliteAdapter, path: Path, dead: Dead
) -> None:
    await beat(adapter, "one")
    for file in path.with_name(f"{path.name}.instances").iterdir():
        file.unlink()

    await beat(adapter, "one")

    assert await dead(second) == ([], [])


@pytest.mark.parametrize("names", [("a/b", "a_b"), ("..", "..."), ("é", "_")])
async def test_every_name_has_a_lock_of_its_own(
    adapter: SqliteAdapter, second: SqliteAdapter, names: tuple[str, str], dead: Dead
) -> None:
    first, other = names
    await beat(adapter, first)
    await beat(adapter, other)

    await adapter.leave(first, now=NOON)
    await beat(second, first)

    assert await dead(second) == ([], [])
    await adapter.close()
    assert await dead(second) == ([], [other])


async def test_a_dead_instance_of_another_machine_is_known_by_its_heartbeat_only(
    adapter: SqliteAdapter, second: SqliteAdapter, dead: Dead
) -> None:
    await put(adapter, a_job())
    await insert(adapter, a_run())
    await beat(adapter, "far")
    await claim(adapter, instance="far")
    await adapter._write(
        lambda connection: connection.execute("UPDATE instances SET machine = 'far'")
    )
    await adapter.close()

    assert await dead(second, seconds=19) == ([], [])
    assert await dead(second, seconds=21) == (["run"], ["far"])
