"""One instance in a process of its own; run as a script, told what to be by one JSON object.

It says "set" and waits for a line if it is told to declare jobs as others do at the same moment.
It says "ready" and its id once it runs, and stops in order at the next line it reads. What its
handlers do goes into a journal, one line each: what, job, fence, instance, when the run was
due, when this was; each in microseconds, by a clock that nobody set wrong.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from datetime import timedelta
from typing import Any

import anyio
from anyio.to_thread import run_sync

from nvent_sched import Interval, RunContext, Scheduler
from nvent_sched._engine.clock import SystemClock
from nvent_sched._engine.signals import Signal
from nvent_sched._model.instants import SECOND_US, Instant, instant_from


class WrongClock(SystemClock):
    """A clock that is set wrong by so many seconds."""

    def __init__(self, seconds: int) -> None:
        self._wrong_us = seconds * SECOND_US

    def now(self) -> Instant:
        """Read it."""
        return Instant(super().now() + self._wrong_us)


class Journal:
    """A file that several processes write lines to."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def note(self, what: str, run: RunContext, scheduler: Scheduler) -> None:
        """Write what happened; one write, so that lines stay whole."""
        times = f"{instant_from(run.due_time)} {SystemClock().now()}"
        who = f"{run.fencing_token} {scheduler.instance_id}"
        os.write(self._file, f"{what} {run.job_id} {who} {times}\n".encode())


async def nothing() -> None:
    """Do nothing."""


async def live(told: dict[str, Any]) -> None:
    """Run until told to stop."""
    clock = WrongClock(told.get("wrong_by", 0))
    scheduler = Scheduler(
        told["url"],
        clock=clock,
        heartbeat=timedelta(seconds=0.3),
        dead_after=timedelta(seconds=told.get("dead_after", 1.5)),
        lease=timedelta(seconds=told.get("lease", 10)),
        grace=timedelta(seconds=2),
        max_running=told.get("slots", 1_000),
    )
    journal = Journal(told["journal"])

    @scheduler.handler("work")
    async def work(run: RunContext, length_us: int) -> str:
        journal.note("start", run, scheduler)
        until_us = clock.monotonic_us() + length_us
        await clock.wait(Signal(), until_us=until_us)
        journal.note("end", run, scheduler)
        return scheduler.instance_id

    @scheduler.handler("block")
    async def block(run: RunContext, length_us: int) -> str:
        journal.note("start", run, scheduler)
        if told.get("blocks"):
            threading.Event().wait(length_us / SECOND_US)
        else:
            until_us = clock.monotonic_us() + length_us
            await clock.wait(Signal(), until_us=until_us)
        journal.note("end", run, scheduler)
        return scheduler.instance_id

    @scheduler.handler("die")
    async def die(run: RunContext) -> None:
        journal.note("start", run, scheduler)
        os.kill(os.getpid(), signal.SIGKILL)

    if (hours := told.get("hours")) is not None:
        for number in range(told["declares"]):
            declare = scheduler.job(
                Interval(hours=hours), id=f"j{number}", name=f"{hours}"
            )
            declare(nothing)
        print("set", flush=True)  # noqa: T201  how processes talk
        await run_sync(sys.stdin.readline)
    async with scheduler:
        print("ready", scheduler.instance_id, flush=True)  # noqa: T201  how processes talk
        await run_sync(sys.stdin.readline, abandon_on_cancel=True)


if __name__ == "__main__":
    logging.basicConfig(level="ERROR")
    words = json.loads(sys.argv[1])
    anyio.run(live, words, backend=words["backend"])
