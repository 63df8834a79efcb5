"""What the memory adapter promises beyond the contract: it can be shared, and it hints."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

from nvent_sched._model.claims import STORED
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_plan,
    a_run,
    a_write,
    an_end,
    an_event,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    beat,
    claim,
    commit,
    insert,
    put,
    read_job,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
async def memory() -> MemoryAdapter:
    adapter = MemoryAdapter()
    await adapter.open(now=NOON)
    return adapter


@pytest.fixture
def hints(memory: MemoryAdapter) -> Callable[[], int]:
    """Count the hints since the last time."""
    given: list[None] = []
    memory.on_hint(lambda: given.append(None))

    def since() -> int:
        count = len(given)
        given.clear()
        return count

    return since


async def test_what_is_stored_stays_when_one_of_two_users_closes(
    memory: MemoryAdapter, hints: Callable[[], int]
) -> None:
    await memory.open(now=NOON)
    await memory.close()

    await put(memory, a_job())

    assert hints() == 1
    assert await read_job(memory) == a_job()


async def test_what_is_stored_is_there_for_the_next_user(
    memory: MemoryAdapter, hints: Callable[[], int]
) -> None:
    await put(memory, a_job())
    await memory.close()
    hints()
    await memory.open(now=NOON)

    await put(memory, the_next(a_job()))

    assert hints() == 0, "who closed does not want to know"
    assert await read_job(memory) == the_next(a_job())


async def test_every_change_gives_one_hint(
    memory: MemoryAdapter, hints: Callable[[], int]
) -> None:
    await put(memory, a_job())
    await commit(memory, a_plan(the_next(a_job()), a_run()))
    assert hints() == 2
    (run,) = await claim(memory)
    await memory.cancel_runs(["run"], reason="enough", now=NOON)
    await settle(memory, an_end(run))
    await memory.publish([an_event()])
    await memory.drop_jobs(["job"], now=NOON)
    assert hints() == 4


async def test_a_write_that_is_stale_gives_no_hint(
    memory: MemoryAdapter, hints: Callable[[], int]
) -> None:
    await memory.commit_plans([a_plan(the_next(a_job()))], now=NOON)
    await memory.settle([an_end(a_run())], now=NOON)
    await memory.put_jobs([a_write(the_next(a_job()))], now=NOON)

    assert hints() == 0


async def test_a_heartbeat_gives_no_hint_since_a_hint_may_cause_one(
    memory: MemoryAdapter, hints: Callable[[], int]
) -> None:
    await beat(memory)

    assert hints() == 0


def test_loops_in_several_threads_share_one_store(anyio_backend_name: str) -> None:
    memory = MemoryAdapter()
    threads, rounds = 4, 50

    async def store(thread: int) -> None:
        for number in range(rounds):
            name = f"{thread}-{number}"
            await put(memory, a_job(name, look_at=NOON))
            await insert(memory, a_run(name, job_id=name))
            for run in await claim(memory, request_id=name, limit=1):
                assert await settle(memory, an_end(run)) == STORED

    with ExitStack() as stack:
        portals = [
            stack.enter_context(start_blocking_portal(anyio_backend_name))
            for _ in range(threads)
        ]
        tasks = [each.start_task_soon(store, n) for n, each in enumerate(portals)]
        for task in tasks:
            task.result()
        (total,) = portals[0].call(memory.read_stats, None)
        summary = portals[0].call(partial(memory.summary, now=NOON, is_deep=True))

    assert total.runs == threads * rounds
    assert summary.findings == ()
