"""The threads in which plain handlers are called."""

from __future__ import annotations

import threading

import anyio

from nvent_sched._engine.threads import WorkerThreads

PATIENCE_S = 10.0


async def test_a_call_counts_as_busy_until_the_loop_knows_that_it_ended() -> None:
    threads, may_end = WorkerThreads(), threading.Event()
    counts: list[int] = []

    async def call() -> None:
        await threads.call(lambda: may_end.wait(PATIENCE_S))
        counts.append(threads.busy)

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        may_end.set()
        while not threads._idle:  # the loop stands still; the thread ends its call
            pass
        counts.append(threads.busy)

    assert counts == [1, 0]
    threads.close()
