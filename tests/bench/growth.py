"""N jobs stored, none due: `python growth.py SUBJECT N FILE`.

What a scheduler costs that finds them at its start: the time until it is ready, memory,
and the CPU it uses while nothing is due. None of them may grow with N.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from one import measure_one

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_S = 10
BATCH = 20_000


async def note() -> None:
    """Do nothing: a handler that is not due."""


async def _fill(count: int, file: str) -> dict[str, float]:
    from nvent_sched import JobSpec, OneTime, Scheduler

    late = datetime.now(UTC) + timedelta(days=30)
    began = time.perf_counter()
    async with Scheduler(f"sqlite:///{file}", runs_handlers=False) as scheduler:
        for first in range(0, count, BATCH):
            await scheduler.schedule_many(
                JobSpec(
                    note,
                    OneTime(late + timedelta(milliseconds=number)),
                    id=f"job-{number:07}",
                )
                for number in range(first, min(count, first + BATCH))
            )
    took = time.perf_counter() - began
    return {"adds_s": count / took}


async def _idle(file: str) -> dict[str, float]:
    from nvent_sched import OneTime, RunContext, Scheduler

    fired = anyio.Event()
    lateness = 0.0

    async def soon(run: RunContext) -> None:
        nonlocal lateness
        lateness = time.time() - run.scheduled_time.timestamp()
        fired.set()

    began = time.perf_counter()
    scheduler = Scheduler(f"sqlite:///{file}")
    scheduler.handler("growth:note")(note)
    async with scheduler:
        started = time.perf_counter() - began
        began = time.perf_counter()
        await scheduler.schedule(soon, OneTime(in_=timedelta(seconds=1)), id="soon")
        added = time.perf_counter() - began
        await fired.wait()
        await anyio.sleep(1)
        cpu = time.process_time()
        await anyio.sleep(IDLE_S)
        cpu = time.process_time() - cpu
    return {
        "start_ms": started * 1e3,
        "add_ms": added * 1e3,
        "late_ms": lateness * 1e3,
        "idle_pct": cpu / IDLE_S * 100,
        "rss_mb": _rss_mb(),
    }


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def nvent(count: int, file: str) -> dict[str, float]:
    """Fill a file here, and open it in a process that knows nothing of it."""
    filled = anyio.run(_fill, count, file)
    done = subprocess.run(  # noqa: S603  our own file
        [sys.executable, __file__, "idle", str(count), file],
        capture_output=True,
        check=True,
        timeout=600,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    filled["bytes"] = Path(file).stat().st_size / count
    return filled | {name: found[name] for name in found if name not in SAME}


SAME = ("subject", "count")
SUBJECTS: dict[str, Callable[[int, str], dict[str, float]]] = {"nvent": nvent}

if __name__ == "__main__":
    if sys.argv[1] == "idle":
        sys.stdout.write(json.dumps(anyio.run(_idle, sys.argv[3])))
    else:
        measure_one(SUBJECTS)
