"""SAQ, on Redis: a hundred jobs at once."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from asked import ENDED, Ask, Marks, asked, say_ready, serve
from saq import Queue, Worker

MARKS = Marks(asked().marks)
WORK_S = asked().work_s


async def mark(_: dict[str, Any], *, number: int) -> None:
    """Be the handler."""
    MARKS.note(number)
    if WORK_S:
        await asyncio.sleep(WORK_S)
        MARKS.note(number, ENDED)


async def _fill(ask: Ask) -> float:
    queue = Queue.from_url(ask.store)
    await queue.connect()
    began = time.perf_counter()
    for number in ask.numbers:
        if ask.pause_s:
            await asyncio.sleep(ask.pause_s)
        at = ask.due(number)
        await queue.enqueue(
            "mark", key=f"j{number}", scheduled=at, number=number, timeout=5, retries=3
        )
    return time.perf_counter() - began


def _add(ask: Ask) -> float:
    return asyncio.run(_fill(ask))


async def _started(_: dict[str, Any]) -> None:
    say_ready()


async def _serve(ask: Ask) -> None:
    queue = Queue.from_url(ask.store)
    worker: Any = Worker(queue, functions=[mark], concurrency=100, startup=_started)
    await worker.start()


def _work(ask: Ask) -> None:
    asyncio.run(_serve(ask))


if __name__ == "__main__":
    serve(add=_add, work=_work)
