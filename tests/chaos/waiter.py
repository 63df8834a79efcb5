"""A process that waits, or holds a lock, and may be killed or stopped at any moment.

    waiter.py URL BACKEND sleep SECONDS
    waiter.py URL BACKEND lock TTL

It says "stored TIME" once its wait is in the store and "woken TIME FIRST" when it is over;
or "runs" before it asks for the lock, "has TOKEN" when it has it and "lost TOKEN" when it
has it no more. It gives the lock back when its input ends.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import anyio
from anyio.to_thread import run_sync

from nvent_sched import Scheduler
from nvent_sched.errors import LockLostError, UnknownJobError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201  how processes talk


async def sleep(scheduler: Scheduler, seconds: float) -> None:
    async def wait() -> None:
        result = await scheduler.sleep("key", seconds=seconds)
        say("woken", result.scheduled.isoformat(), result.is_first)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        job = None
        while job is None:
            with suppress(UnknownJobError):
                job = await scheduler.get_job("await:key")
        (at,) = job.schedule.occurrences(EPOCH)
        say("stored", at.isoformat())


async def lock(scheduler: Scheduler, ttl: float) -> None:
    say("runs")
    try:
        async with scheduler.lock("it", ttl=timedelta(seconds=ttl)) as held:
            say("has", held.fencing_token)
            await run_sync(sys.stdin.read, abandon_on_cancel=True)
    except LockLostError as error:
        say("lost", error.fence)


async def main(url: str, role: str, seconds: float) -> None:
    async with Scheduler(url) as scheduler:
        await (sleep if role == "sleep" else lock)(scheduler, seconds)


if __name__ == "__main__":
    url, backend, role, text = sys.argv[1:]
    anyio.run(main, url, role, float(text), backend=backend)
