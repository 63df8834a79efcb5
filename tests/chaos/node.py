"""One instance among several on one store, that may be killed at any moment.

    node.py URL LEDGER PIPE BACKEND

Each handler adds a line to the ledger, then a byte to the pipe. It says "ready" once it
runs, and stops in order when its input ends.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from datetime import timedelta
from typing import Final

import anyio
from anyio.to_thread import run_sync

from nvent_sched import Cron, Interval, RunContext, Scheduler
from nvent_sched._engine.clock import SystemClock
from nvent_sched._model.instants import instant_from

QUICK: Final = 54
SLOW: Final = 6
TICK: Final = Interval(milliseconds=200)


def node(url: str, *, ledger: int, pipe: int) -> Scheduler:
    scheduler = Scheduler(
        url,
        heartbeat=timedelta(milliseconds=500),
        dead_after=timedelta(seconds=3),
        lease=timedelta(seconds=10),
        history_runs=1_000_000,
    )

    def note(run: RunContext) -> None:
        at, fence = run.scheduled_time.isoformat(), run.fencing_token
        begun = (instant_from(run.due_time), SystemClock().now())
        facts = (os.getpid(), run.job_id, at, fence, run.attempt, run.origin, *begun)
        line = " ".join(map(str, facts))
        os.write(ledger, f"{line}\n".encode())
        os.write(pipe, b".")

    async def quick(run: RunContext) -> None:
        note(run)

    def slow(run: RunContext) -> None:
        note(run)
        hashlib.pbkdf2_hmac("sha256", b"", b"", 10_000)

    def poison(run: RunContext) -> None:
        note(run)
        os.kill(os.getpid(), signal.SIGKILL)

    scheduler.handler("poison")(poison)
    for number in range(QUICK):
        scheduler.job(TICK, id=f"quick{number}", handler="quick")(quick)
    for number in range(SLOW):
        scheduler.job(TICK, id=f"slow{number}", handler="slow")(slow)
    scheduler.job(Cron("* * * * * *"), id="second", handler="quick")(quick)
    scheduler.job(Cron("*/2 * * * * *"), id="two", handler="slow")(slow)
    return scheduler


async def live(url: str, ledger: int, pipe: int) -> None:
    async with node(url, ledger=ledger, pipe=pipe):
        print("ready", flush=True)  # noqa: T201  how processes talk
        await run_sync(sys.stdin.read, abandon_on_cancel=True)


if __name__ == "__main__":
    url, path, pipe, backend = sys.argv[1:]
    ledger = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    anyio.run(live, url, ledger, int(pipe), backend=backend)
