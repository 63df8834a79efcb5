"""streaQ, on Redis: a hundred jobs at once."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
from asked import ENDED, Ask, Marks, asked, say_ready, serve
from streaq import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ASKED = asked()
MARKS = Marks(ASKED.marks)
BULK = 500


@asynccontextmanager
async def _lifespan() -> AsyncIterator[None]:
    if ASKED.verb == "work":
        say_ready()
    yield


WORKER: Any = Worker(
    redis_url=ASKED.store, concurrency=100, lifespan=_lifespan, idle_timeout=5
)


@WORKER.task  # type: ignore[untyped-decorator]
async def mark(number: int) -> None:
    """Be the handler."""
    MARKS.note(number)
    if ASKED.work_s:
        await anyio.sleep(ASKED.work_s)
        MARKS.note(number, ENDED)


def _task(number: int, due: float) -> Any:  # noqa: ANN401
    return mark.enqueue(number).start(schedule=datetime.fromtimestamp(due, UTC))


async def _fill(ask: Ask) -> float:
    async with WORKER:
        began = time.perf_counter()
        if ask.is_bulk:
            for part in ask.parts(BULK):
                tasks = [_task(number, part.due(number)) for number in part.numbers]
                await WORKER.enqueue_many(tasks)
            return time.perf_counter() - began
        for number in ask.numbers:
            if ask.pause_s:
                await anyio.sleep(ask.pause_s)
            await _task(number, ask.due(number))
        return time.perf_counter() - began


def _work(_: Ask) -> None:
    WORKER.run_sync()


if __name__ == "__main__":
    serve(add=lambda ask: anyio.run(_fill, ask), work=_work)
