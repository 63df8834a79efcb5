"""APScheduler 3: its store in memory, on SQLite and on Redis. It keeps no record of a run."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from asked import Ask, Marks, asked, say_ready, serve

MARKS: list[Marks] = []


def mark(number: int) -> None:
    """Be the handler."""
    if not MARKS:
        MARKS.append(Marks(asked().marks))
    MARKS[0].note(number)


def _scheduler(ask: Ask) -> Any:  # noqa: ANN401  it has no types
    store: Any = MemoryJobStore()
    if ask.variant == "sqlite":
        from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore

        store = SQLAlchemyJobStore(url=f"sqlite:///{ask.store}")
    elif ask.variant == "redis":
        from apscheduler.jobstores.redis import RedisJobStore

        store = RedisJobStore(port=int(ask.store.rpartition(":")[2]))
    return BackgroundScheduler(
        jobstores={"default": store},
        executors={"default": ThreadPoolExecutor(20)},
        job_defaults={"misfire_grace_time": None},
        timezone="UTC",
    )


def _fill(scheduler: Any, ask: Ask) -> float:  # noqa: ANN401
    # Not by reference to this module, which a worker knows by another name.
    began = time.perf_counter()
    for number in ask.numbers:
        if ask.pause_s:
            time.sleep(ask.pause_s)
        at = datetime.fromtimestamp(ask.due(number), UTC)
        when: dict[str, Any] = {"trigger": "date", "run_date": at}
        if ask.is_every:
            when = {"trigger": "interval", "seconds": 1, "start_date": at}
        name = f"j{number}"
        scheduler.add_job("apscheduler3:mark", args=[number], id=name, **when)
    return time.perf_counter() - began


def _add(ask: Ask) -> float:
    scheduler = _scheduler(ask)
    scheduler.start(paused=True)
    try:
        return _fill(scheduler, ask)
    finally:
        scheduler.shutdown()


def _work(ask: Ask) -> None:
    scheduler = _scheduler(ask)
    scheduler.start(paused=True)
    if ask.count:
        _fill(scheduler, ask)
    scheduler.resume()
    say_ready()
    time.sleep(3_600)


if __name__ == "__main__":
    serve(add=_add, work=_work)
