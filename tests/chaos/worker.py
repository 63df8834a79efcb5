"""A process that works under watchdogs, fires triggers, and may be killed at any moment.

    worker.py URL BACKEND work|look|fire

It says "ready"; a worker has then started its watchdogs, one who fires has stored its fires.
Alarms and deliveries are said as they come. It ends when its input does.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from typing import Any

import anyio
from anyio.to_thread import run_sync

from nvent_sched import RunContext, Scheduler

BEATS: dict[str, Any] = {
    "heartbeat": timedelta(seconds=0.3),
    "dead_after": timedelta(seconds=1.5),
    "lease": timedelta(seconds=10),
}
WORK = 20
FIRES = 30


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201  how processes talk


async def main(url: str, role: str) -> None:
    scheduler = Scheduler(url, **BEATS)

    @scheduler.handler("alarm")
    async def alarm(run: RunContext, stall: dict[str, Any]) -> None:
        say("alarm", stall["key"], stall["owner"], run.attempt)

    scheduler.trigger("t")

    @scheduler.on("t")
    async def hear(payload: int) -> None:
        if role == "look":
            say("heard", payload)

    async with scheduler:
        if role == "work":
            for number in range(WORK):
                await scheduler.start_watchdog(
                    f"w{number}", timeout=timedelta(hours=1), on_stall="alarm"
                )
        if role == "fire":
            for number in range(FIRES):
                await scheduler.fire("t", number, idempotency_key=f"k{number}")
            say("ready", scheduler.instance_id)
            os.kill(os.getpid(), signal.SIGKILL)
        say("ready", scheduler.instance_id)
        await run_sync(sys.stdin.read, abandon_on_cancel=True)


if __name__ == "__main__":
    url, backend, role = sys.argv[1:]
    anyio.run(main, url, role, backend=backend)
