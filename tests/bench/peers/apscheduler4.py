"""APScheduler 4, an alpha: its store in memory and on SQLite."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import anyio
from apscheduler import AsyncScheduler
from apscheduler.datastores.memory import MemoryDataStore
from apscheduler.datastores.sqlalchemy import SQLAlchemyDataStore
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from asked import Ask, Marks, asked, say_ready, serve

TASK = "mark"
MARKS: list[Marks] = []


async def mark(number: int) -> None:
    """Be the handler."""
    if not MARKS:
        MARKS.append(Marks(asked().marks))
    MARKS[0].note(number)


def _scheduler(ask: Ask) -> Any:  # noqa: ANN401  it is not here to be checked
    if ask.variant == "memory":
        return AsyncScheduler(MemoryDataStore())
    from sqlalchemy import event
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(f"sqlite+aiosqlite:///{ask.store}")

    @event.listens_for(engine.sync_engine, "connect")  # type: ignore[untyped-decorator]
    def prepare(connection: Any, _: object) -> None:  # noqa: ANN401
        connection.execute("PRAGMA journal_mode = WAL")

    return AsyncScheduler(SQLAlchemyDataStore(engine))


async def _fill(scheduler: Any, ask: Ask) -> float:  # noqa: ANN401
    await scheduler.configure_task(TASK, func=mark)
    began = time.perf_counter()
    for number in ask.numbers:
        if ask.pause_s:
            await anyio.sleep(ask.pause_s)
        at = datetime.fromtimestamp(ask.due(number), UTC)
        trigger: Any = DateTrigger(at)
        if ask.is_every:
            trigger = IntervalTrigger(seconds=1, start_time=at)
        name = f"j{number}"
        await scheduler.add_schedule(TASK, trigger, id=name, args=[number])
    return time.perf_counter() - began


async def _add(ask: Ask) -> float:
    async with _scheduler(ask) as scheduler:
        return await _fill(scheduler, ask)


async def _work(ask: Ask) -> None:
    async with _scheduler(ask) as scheduler:
        # What is added by another process is called here.
        await scheduler.configure_task(TASK, func=mark)
        if ask.count:
            await _fill(scheduler, ask)
        await scheduler.start_in_background()
        say_ready()
        await anyio.sleep(3_600)


if __name__ == "__main__":
    serve(add=lambda ask: anyio.run(_add, ask), work=lambda ask: anyio.run(_work, ask))
