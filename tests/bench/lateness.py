"""N jobs every second: how late each handler starts. `python lateness.py SUBJECT N FILE`.

All are due at the same instant of each second, the worst case. "bare" is the event loop
alone: one timer a second that starts N tasks; below that nobody gets.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
from one import measure_one, quantile_ms

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 20
WARM_UP = 3


def figures(count: int, late: list[float], *, cpu_s: float) -> dict[str, float]:
    """Turn the lateness of each start, in seconds, into a row of the table."""
    return {
        "late_p50_ms": quantile_ms(late, 0.5),
        "late_p99_ms": quantile_ms(late, 0.99),
        "late_max_ms": max(late) * 1e3,
        "every_fired": len(late) / (count * SECONDS),
        "cpu_us": cpu_s / max(1, len(late)) * 1e6,
    }


def first_second() -> datetime:
    """Say the full second from which the jobs are due."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=WARM_UP)


async def _ours(count: int, file: str) -> dict[str, float]:
    from nvent_sched import Interval, JobOptions, JobSpec, RunContext, Scheduler

    late: list[float] = []

    async def handler(run: RunContext) -> None:
        late.append(time.time() - run.scheduled_time.timestamp())

    async with Scheduler(f"sqlite:///{file}") as scheduler:
        start = first_second()
        every = Interval(seconds=1, anchor=start)
        end = start + timedelta(seconds=SECONDS - 0.5)
        bounds = JobOptions(starts_at=start, ends_at=end)
        await scheduler.schedule_many(
            JobSpec(handler, every, id=f"j{number}", options=bounds)
            for number in range(count)
        )
        await anyio.sleep((start - datetime.now(UTC)).total_seconds() - 0.5)
        began = time.process_time()
        await anyio.sleep(SECONDS + 0.5)
        return figures(count, late, cpu_s=time.process_time() - began)


async def _bare(count: int) -> dict[str, float]:
    late: list[float] = []

    async def handler(due: float) -> None:
        late.append(time.time() - due)

    due = first_second().timestamp()
    began = time.process_time()
    async with anyio.create_task_group() as group:
        for second in range(SECONDS):
            await anyio.sleep(due + second - time.time())
            for _ in range(count):
                group.start_soon(handler, due + second)
    return figures(count, late, cpu_s=time.process_time() - began)


FIRED: list[float] = []


def _note_fire(first: float) -> None:
    now = time.time()
    if now >= first - 0.5:
        FIRED.append((now - first) % 1)


def _apscheduler(count: int, url: str | None) -> dict[str, float]:
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.jobstores.memory import MemoryJobStore
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.background import BackgroundScheduler

    store = MemoryJobStore() if url is None else SQLAlchemyJobStore(url=url)
    scheduler = BackgroundScheduler(
        jobstores={"default": store}, executors={"default": ThreadPoolExecutor(20)}
    )
    scheduler.start(paused=True)
    start = first_second() + timedelta(seconds=count / 200)
    end = start + timedelta(seconds=SECONDS - 0.5)
    for number in range(count):
        scheduler.add_job(
            _note_fire,
            "interval",
            [start.timestamp()],
            seconds=1,
            start_date=start,
            end_date=end,
            id=f"j{number}",
        )
    scheduler.resume()
    time.sleep(max(0.0, (start - datetime.now(UTC)).total_seconds() - 0.5))
    began = time.process_time()
    time.sleep(SECONDS + 0.5)
    scheduler.shutdown()
    return figures(count, FIRED, cpu_s=time.process_time() - began)


SUBJECTS: dict[str, Callable[[int, str], dict[str, float]]] = {
    "bare-asyncio": lambda count, _: anyio.run(_bare, count),
    "bare-trio": lambda count, _: anyio.run(_bare, count, backend="trio"),
    "nvent-asyncio": lambda count, file: anyio.run(_ours, count, file),
    "nvent-trio": lambda count, file: anyio.run(_ours, count, file, backend="trio"),
    "apscheduler-3-memory": lambda count, _: _apscheduler(count, None),
    "apscheduler-3-sqlite": lambda count, file: _apscheduler(
        count, f"sqlite:///{file}"
    ),
}

if __name__ == "__main__":
    measure_one(SUBJECTS)
