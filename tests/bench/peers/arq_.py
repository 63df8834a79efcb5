"""arq, on Redis: a hundred jobs at once."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from arq import Worker, create_pool
from arq.connections import RedisSettings
from asked import ENDED, Ask, Marks, asked, say_ready, serve

MARKS = Marks(asked().marks)
WORK_S = asked().work_s


async def mark(_: dict[str, Any], number: int) -> None:
    """Be the handler."""
    MARKS.note(number)
    if WORK_S:
        await asyncio.sleep(WORK_S)
        MARKS.note(number, ENDED)


async def _fill(ask: Ask) -> float:
    pool = await create_pool(RedisSettings.from_dsn(ask.store))
    began = time.perf_counter()
    for number in ask.numbers:
        if ask.pause_s:
            await asyncio.sleep(ask.pause_s)
        at = datetime.fromtimestamp(ask.due(number), UTC)
        await pool.enqueue_job("mark", number, _job_id=f"j{number}", _defer_until=at)
    return time.perf_counter() - began


def _add(ask: Ask) -> float:
    return asyncio.run(_fill(ask))


async def _started(_: dict[str, Any]) -> None:
    say_ready()


def _work(ask: Ask) -> None:
    Worker(
        functions=[mark],
        redis_settings=RedisSettings.from_dsn(ask.store),
        on_startup=_started,
        max_jobs=100,
        job_timeout=5,
        log_results=False,
    ).run()


if __name__ == "__main__":
    serve(add=_add, work=_work)
