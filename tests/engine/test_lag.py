"""What keeps the loop or the clock from its work is noticed while it lasts, and named."""

from __future__ import annotations

import functools
import logging
import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from nvent_sched import Interval, Scheduler
from nvent_sched._engine.clock import SystemClock
from nvent_sched._model.instants import Instant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from nvent_sched import EventStream

HOURS = Interval(hours=6)
PATIENCE = 20.0


class Listener(logging.Handler):
    """Waits, in whatever thread, for a warning."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.heard = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
        self.heard.set()

    def wait(self) -> None:
        """Block the caller's thread until a warning comes."""
        assert self.heard.wait(PATIENCE), "nobody noticed"
        self.heard.clear()


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    log = logging.getLogger("nvent_sched._engine.lag")
    log.addHandler(listener)
    try:
        yield listener
    finally:
        log.removeHandler(listener)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    async with Scheduler("memory:", grace=timedelta()) as running:
        yield running


async def first_event(events: EventStream, kind: str) -> str:
    async for event in events:
        if event.kind == kind:
            return event.detail
    pytest.fail(f"no {kind} was told")


class Callee:
    """A handler that is an object."""

    __qualname__ = "Callee"

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    async def __call__(self) -> None:
        self._act()


async def test_a_handler_that_is_no_plain_function_is_named_as_well(
    scheduler: Scheduler, listener: Listener
) -> None:
    scheduler.handler("greedy")(functools.partial(Callee(listener.wait)))
    await scheduler.schedule("greedy", HOURS, id="h")
    run = await scheduler.wait_for(await scheduler.run_now("h"))

    assert run.outcome == "succeeded"
    (text,) = listener.texts
    assert text.startswith("the event loop is blocked by=handler greedy lag_us=")


async def test_a_handler_that_blocks_the_loop_is_named_while_it_does_each_time(
    scheduler: Scheduler, listener: Listener
) -> None:
    async def hog() -> None:
        listener.wait()

    scheduler.handler("greedy")(hog)
    await scheduler.schedule("greedy", HOURS, id="h")
    details: list[str] = []
    async with scheduler.events() as events:
        for _ in range(2):
            await scheduler.run_now("h")
            details.append(await first_event(events, "loop_blocked"))

    for text in listener.texts:
        assert text.startswith("the event loop is blocked by=handler greedy lag_us=")
    assert len(listener.texts) == 2
    for detail in details:
        assert detail.startswith("for ")
        assert detail.endswith(" s by handler greedy")


async def test_what_blocks_the_loop_outside_the_handlers_is_said_to_be(
    scheduler: Scheduler, listener: Listener
) -> None:
    await scheduler.health()
    listener.wait()

    (text,) = listener.texts
    assert text.startswith("the event loop is blocked by=code outside the handlers (")


class SkewedClock(SystemClock):
    """The system's clock, which somebody sets."""

    skew_us = 0

    def now(self) -> Instant:
        return Instant(super().now() + self.skew_us)


async def test_a_clock_that_was_set_is_noticed_and_what_is_due_is_run() -> None:
    clock = SkewedClock()

    async def work() -> None: ...

    async with Scheduler("memory:", clock=clock) as scheduler:
        await scheduler.schedule(work, HOURS, id="w")
        async with scheduler.events() as events:
            await scheduler.run_now("w")
            await first_event(events, "run_finished")
            clock.skew_us = 7 * 3_600 * 1_000_000
            told: dict[str, str] = {}
            async for event in events:
                told[event.kind] = event.detail
                # Either may come first: who looks at the clock next sees it.
                if told.keys() >= {"clock_jumped", "run_finished"}:
                    break

    assert told["clock_jumped"] == "by +25200.0 s"
    assert told["run_finished"] == "succeeded"
