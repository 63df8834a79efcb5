"""What a handler logs goes into its run's log, and logging stays the program's own."""

from __future__ import annotations

import logging
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched import Interval, Scheduler
from nvent_sched._engine.capture import logging_captured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvent_sched.testing import ManualClock

MINE = logging.getLogger("mine")


async def log_of(
    scheduler: Scheduler, clock: ManualClock, handler: Callable[[], None]
) -> tuple[str, ...]:
    async def work() -> None:
        handler()

    await scheduler.schedule(work, Interval(days=1), id="w")
    run = await scheduler.run_now("w")
    await clock.run_until_idle()
    return (await scheduler.get_run(run.id)).log


@contextmanager
def private(*handlers: logging.Handler) -> Iterator[logging.Logger]:
    """A logger that keeps what it hears to its own handlers."""
    log = logging.getLogger("mine.private")
    log.propagate = False
    for handler in handlers:
        log.addHandler(handler)
    try:
        yield log
    finally:
        log.propagate = True
        for handler in handlers:
            log.removeHandler(handler)


async def test_the_root_logger_has_no_handler_of_ours(clock: ManualClock) -> None:
    before = list(logging.getLogger().handlers)

    async with Scheduler("memory:", clock=clock):
        assert logging.getLogger().handlers == before


@pytest.mark.parametrize("first", [0, 1])
def test_logging_is_as_before_when_the_last_capture_ends(first: int) -> None:
    factory, last = logging.getLogRecordFactory(), logging.lastResort
    assert last is not None
    captures = [ExitStack(), ExitStack()]
    for each in captures:
        each.enter_context(logging_captured())

    captures[first].close()
    assert logging.getLogRecordFactory() is not factory
    captures[1 - first].close()

    assert logging.getLogRecordFactory() is factory
    assert last.filters == []


async def test_with_two_schedulers_a_line_is_kept_once(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async with Scheduler("memory:", clock=clock):
        lines = await log_of(scheduler, clock, lambda: MINE.warning("water"))

    assert lines == ("WARNING mine: water",)


async def test_a_programs_own_factory_goes_on_and_stays(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    before = logging.getLogRecordFactory()
    chained: list[Callable[..., logging.LogRecord]] = []

    def make(*args: Any, **words: Any) -> logging.LogRecord:  # noqa: ANN401  passed on
        record = chained[0](*args, **words)
        record.place = "here"
        return record

    try:
        async with Scheduler("memory:", clock=clock) as scheduler:
            chained.append(logging.getLogRecordFactory())
            logging.setLogRecordFactory(make)
            lines = await log_of(scheduler, clock, lambda: MINE.warning("water"))

        assert logging.getLogRecordFactory() is make
        MINE.warning("after")
    finally:
        logging.setLogRecordFactory(before)

    assert lines == ("WARNING mine: water",)
    assert [vars(each)["place"] for each in caplog.records] == ["here", "here"]


async def test_a_factory_that_logs_is_not_kept_asking(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    before = logging.getLogRecordFactory()

    def make(*args: Any, **words: Any) -> logging.LogRecord:  # noqa: ANN401  passed on
        if args[0] == "mine":
            logging.getLogger("inner").warning("made")
        return before(*args, **words)

    logging.setLogRecordFactory(make)
    try:
        async with Scheduler("memory:", clock=clock) as scheduler:
            lines = await log_of(scheduler, clock, lambda: MINE.warning("water"))
    finally:
        logging.setLogRecordFactory(before)

    assert lines == ("WARNING mine: water",)
    assert caplog.messages == ["made", "water"]


async def test_a_message_that_cannot_be_made_is_said_to_be_so(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    with private() as log:
        lines = await log_of(scheduler, clock, lambda: log.warning("%d", "x"))

    assert lines == ("WARNING mine.private: (its text could not be made: TypeError)",)
    (run,) = await scheduler.runs("w")
    assert run.outcome == "succeeded"


async def test_what_a_logger_keeps_to_its_own_handlers_is_not_the_runs(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    with private(logging.NullHandler()) as log:
        lines = await log_of(scheduler, clock, lambda: log.warning("noise"))

    assert lines == ()


async def test_what_is_below_a_loggers_level_is_not_kept(
    scheduler: Scheduler, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="mine")

    def speak() -> None:
        MINE.debug("whispered")
        MINE.info("said")

    assert await log_of(scheduler, clock, speak) == ("INFO mine: said",)


async def test_a_record_made_of_its_fields_is_left_alone(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    made: list[logging.LogRecord] = []

    def remake() -> None:
        made.append(logging.makeLogRecord({"name": "mine", "msg": "from afar"}))

    assert await log_of(scheduler, clock, remake) == ()
    assert made[0].getMessage() == "from afar"
