"""procrastinate, on Postgres: a hundred jobs at once."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from asked import ENDED, Ask, Marks, asked, say_ready, serve
from procrastinate import App, PsycopgConnector

ASKED = asked()
MARKS = Marks(ASKED.marks)
APP: Any = App(connector=PsycopgConnector(conninfo=ASKED.store))
BULK = 500


@APP.task(name="mark")  # type: ignore[untyped-decorator]
async def mark(number: int) -> None:
    """Be the handler."""
    MARKS.note(number)
    if ASKED.work_s:
        await asyncio.sleep(ASKED.work_s)
        MARKS.note(number, ENDED)


async def _open() -> None:
    await APP.open_async()
    if not await APP.check_connection_async():
        await APP.schema_manager.apply_schema_async()


async def _fill(ask: Ask) -> float:
    await _open()
    began = time.perf_counter()
    for part in ask.parts(BULK if ask.is_bulk and not ask.spread_s else 1):
        if ask.pause_s:
            await asyncio.sleep(ask.pause_s)
        at = datetime.fromtimestamp(part.due(part.first), UTC)
        given = [{"number": number} for number in part.numbers]
        await mark.configure(schedule_at=at).batch_defer_async(*given)
    took = time.perf_counter() - began
    await APP.close_async()
    return took


def _add(ask: Ask) -> float:
    return asyncio.run(_fill(ask))


async def _serve() -> None:
    await _open()
    say_ready()
    await APP.run_worker_async(concurrency=100)


def _work(_: Ask) -> None:
    asyncio.run(_serve())


if __name__ == "__main__":
    serve(add=_add, work=_work)
