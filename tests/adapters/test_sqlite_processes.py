"""Several processes on one file: each occurrence once, and the dead are seen at once."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from nvent_sched.testing.conformance.builders import NOON, a_job, a_run, an_end, at
from nvent_sched.testing.conformance.steps import (
    beat,
    claim,
    insert,
    put,
    settle,
    take_lost_ids,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from nvent_sched.adapters.sqlite import SqliteAdapter
    from tests.adapters.conftest import Other

    Another: TypeAlias = Callable[..., AbstractContextManager[Other]]
    Dead: TypeAlias = Callable[..., Awaitable[tuple[list[str], list[str]]]]
    Race: TypeAlias = Callable[[str], list[list[str]]]

PROCESSES: Final = 3
MANY: Final = 60


@pytest.fixture
def race(another: Another, path: Path) -> Race:
    """Let several processes begin at once; say what each of them printed."""

    def run(role: str) -> list[list[str]]:
        with ExitStack() as stack:
            others = [
                stack.enter_context(another(role, path, f"{number}"))
                for number in range(PROCESSES)
            ]
            for other in others:
                other.until_ready()
            for other in others:
                other.go()
            return [other.rest() for other in others]

    return run


def test_processes_that_create_one_file_at_once_all_succeed(race: Race) -> None:
    assert race("create") == [["opened"]] * PROCESSES


def test_a_new_file_can_be_opened_by_two_at_the_same_moment(
    another: Another, path: Path
) -> None:
    with another("twins", path) as twins:
        assert twins.rest() == []


async def test_each_due_job_is_planned_by_one_process(
    adapter: SqliteAdapter, race: Race
) -> None:
    names = [f"job{number:03}" for number in range(MANY)]
    await put(adapter, *(a_job(name, look_at=NOON) for name in names))

    printed = [line.split() for lines in race("plan") for line in lines]

    assert sorted(job_id for job_id, _ in printed) == names
    assert len({fence for _, fence in printed}) == MANY


async def test_each_ready_run_is_claimed_by_one_process(
    adapter: SqliteAdapter, race: Race
) -> None:
    names = [f"run{number:03}" for number in range(MANY)]
    await put(adapter, a_job())
    await insert(adapter, *(a_run(name) for name in names))

    printed = [line.split() for lines in race("begin") for line in lines]

    assert sorted(run_id for run_id, _ in printed) == names
    assert len({fence for _, fence in printed}) == MANY


async def test_the_runs_of_a_process_that_was_killed_are_lost_at_once(
    adapter: SqliteAdapter, path: Path, another: Another, dead: Dead
) -> None:
    await put(adapter, a_job())
    (run,) = await insert(adapter, a_run())
    with another("hold", path) as other:
        other.until_ready()
        assert await dead(adapter) == ([], []), "it lives"

        other.kill()

        assert await dead(adapter) == ([run.id], ["other"])
    assert await adapter.read_instances() == ()


async def test_nothing_is_left_of_a_process_that_was_killed(
    adapter: SqliteAdapter, path: Path, another: Another, dead: Dead
) -> None:
    with another("hold", path) as other:
        other.until_ready()
        other.kill()
    folder = path.with_name(f"{path.name}.instances")
    assert list(folder.iterdir())

    await dead(adapter)

    assert not folder.exists() or not list(folder.iterdir())


async def test_a_process_that_ends_in_good_order_leaves_nothing_behind(
    adapter: SqliteAdapter, path: Path, another: Another, dead: Dead
) -> None:
    with another("hold", path) as other:
        other.until_ready()
        other.go()
        other.rest()

    await dead(adapter)

    names = {each.name for each in path.parent.iterdir()}
    assert names <= {path.name, f"{path.name}-wal", f"{path.name}-shm"}


async def test_two_adapters_in_one_process_see_each_others_locks(
    adapter: SqliteAdapter, second: SqliteAdapter, dead: Dead
) -> None:
    await beat(adapter, "one")
    await beat(second, "two")

    assert await dead(adapter) == ([], [])
    assert await dead(second) == ([], [])

    await adapter.close()
    assert await dead(second) == ([], ["one"])


async def test_a_run_is_settled_once_however_many_processes_report_it(
    adapter: SqliteAdapter, second: SqliteAdapter
) -> None:
    await put(adapter, a_job())
    await insert(adapter, a_run())
    (run,) = await claim(adapter)

    await settle(adapter, an_end(run))
    await settle(second, an_end(run))

    (stats,) = await second.read_stats(["job"])
    assert stats.runs == 1
    assert await take_lost_ids(second, now=at(9_999)) == []
