"""Ours: on SQLite, on Redis and in memory, on asyncio and on Trio."""

from __future__ import annotations

import gc
import logging
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from asked import ENDED, RECORDED, Ask, Marks, say_ready, serve

from nvent_sched import Interval, JobOptions, JobSpec, OneTime, Scheduler

if TYPE_CHECKING:
    from collections.abc import Iterator

HANDLER = "bench:mark"
BULK = 20_000


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _specs(ask: Ask) -> Iterator[JobSpec]:
    for number in ask.numbers:
        at = _moment(ask.due(number))
        every = Interval(seconds=1, anchor=at) if ask.is_every else None
        options = JobOptions(starts_at=at) if ask.is_every else JobOptions()
        yield JobSpec(
            HANDLER,
            every or OneTime(at),
            id=f"j{number}",
            args=[number],
            options=options,
        )


async def _fill(scheduler: Scheduler, ask: Ask) -> float:
    began = time.perf_counter()
    if ask.is_bulk:
        for part in ask.parts(BULK):
            await scheduler.schedule_many(_specs(part))
        return time.perf_counter() - began
    for number in ask.numbers:
        if ask.pause_s:
            await anyio.sleep(ask.pause_s)
        at = OneTime(_moment(ask.due(number)))
        await scheduler.schedule(HANDLER, at, id=f"j{number}", args=[number])
    return time.perf_counter() - began


async def _add(ask: Ask) -> float:
    async with Scheduler(ask.store, runs_handlers=False) as scheduler:
        return await _fill(scheduler, ask)


async def _work(ask: Ask) -> None:
    marks, work_s = Marks(ask.marks), ask.work_s
    scheduler = Scheduler(ask.store)

    if work_s:

        @scheduler.handler(HANDLER)
        async def slow(number: int) -> None:
            marks.note(number)
            await anyio.sleep(work_s)
            marks.note(number, ENDED)

    else:

        @scheduler.handler(HANDLER)
        async def quick(number: int) -> None:
            marks.note(number)

    async with scheduler:
        if ask.count:
            await _fill(scheduler, ask)
        # As `nvent-sched run` does.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000)
        say_ready()
        await anyio.sleep(max(0.0, ask.at - time.time()))
        if ask.total:
            while marks.size() < ask.total:
                await anyio.sleep(0.02)
            while (await scheduler.stats()).runs < ask.total:
                await anyio.sleep(0.01)
            marks.note(-1, RECORDED)
        await scheduler.wait_until_stopped()


def _run(what: Any, ask: Ask) -> Any:  # noqa: ANN401  either of two
    logging.getLogger("nvent_sched").setLevel(logging.ERROR)
    backend = "trio" if ask.variant.endswith("trio") else "asyncio"
    return anyio.run(what, ask, backend=backend)


if __name__ == "__main__":
    serve(add=partial(_run, _add), work=partial(_run, _work))
