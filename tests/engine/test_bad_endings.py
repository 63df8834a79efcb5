"""Nothing a handler raises, returns or leaves undone costs another job anything."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

import anyio
import pytest
import trio
from sniffio import current_async_library

from nvent_sched import Interval, OneTime, RunContext, Scheduler
from nvent_sched.adapters import open_adapter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from nvent_sched import RunSnapshot
    from nvent_sched.testing import ManualClock

SECOND = timedelta(seconds=1)
LONE_SURROGATE = "\udcff"


class UnprintableError(Exception):
    """Cannot be shown, and neither can what it raises when one tries."""

    def __str__(self) -> str:
        raise self

    __repr__ = __str__


class QuittingError(Exception):
    """Ends the process when it is shown."""

    def __str__(self) -> str:
        raise SystemExit

    __repr__ = __str__


class NoteworthyError(Exception):
    """Cannot be formatted: its notes are not text."""

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        raise UnprintableError


class HostileMapping(dict[str, int]):
    """Raises when it is looked through."""

    def items(self) -> NoReturn:
        raise UnprintableError


async def beside_another(
    scheduler: Scheduler, clock: ManualClock, handler: Callable[..., object]
) -> RunSnapshot:
    """Run a handler once beside a well-behaved job; see that that one goes on."""
    seen: list[int] = []

    async def neighbour() -> None:
        seen.append(1)

    await scheduler.schedule(neighbour, Interval(seconds=1), id="neighbour")
    await scheduler.schedule(handler, OneTime(clock.moment + SECOND), id="bad")
    await clock.advance(timedelta(seconds=3.5))

    assert len(seen) == 3
    assert (await scheduler.health()).is_ok
    (run,) = await scheduler.runs("bad")
    assert run.state == "finished"
    return run


@pytest.mark.parametrize(
    "kind", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, BaseException]
)
async def test_whatever_a_plain_handler_raises_fails_its_run_only(
    scheduler: Scheduler, clock: ManualClock, kind: type[BaseException]
) -> None:
    def broken() -> NoReturn:
        raise kind

    run = await beside_another(scheduler, clock, broken)

    assert run.outcome == "failed"
    assert run.error is not None
    assert kind.__name__ in run.error


async def test_a_group_of_base_exceptions_fails_its_run_only(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def broken() -> NoReturn:
        msg = "all at once"
        raise BaseExceptionGroup(msg, [SystemExit(3), KeyboardInterrupt()])

    run = await beside_another(scheduler, clock, broken)

    assert run.outcome == "failed"


def raise_a_cancellation() -> NoReturn:
    if current_async_library() == "trio":
        raise trio.Cancelled._create()
    raise anyio.get_cancelled_exc_class()


async def test_a_cancellation_made_up_by_a_handler_ends_its_run_only(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def odd() -> None:
        raise_a_cancellation()

    run = await beside_another(scheduler, clock, odd)

    assert run.outcome == "cancelled"
    assert run.reason == "the handler was cancelled from within"


async def test_a_handler_that_cancels_its_own_scope_has_succeeded(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def careful() -> str:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anyio.lowlevel.checkpoint()
        return "went on"

    run = await beside_another(scheduler, clock, careful)

    assert (run.outcome, run.result) == ("succeeded", "went on")


async def test_a_handler_with_tasks_of_its_own_can_be_cancelled(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def endless() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(anyio.sleep_forever)

    await scheduler.schedule(
        endless, OneTime(clock.moment), id="e", timeout=timedelta(seconds=2)
    )
    await clock.advance(timedelta(seconds=3))

    (run,) = await scheduler.runs("e")
    assert run.outcome == "timed_out"


@pytest.mark.parametrize("kind", [UnprintableError, QuittingError, NoteworthyError])
@pytest.mark.parametrize("place", ["loop", "thread"])
async def test_an_error_that_cannot_be_shown_fails_its_run_with_its_class(
    scheduler: Scheduler, clock: ManualClock, kind: type[Exception], place: str
) -> None:
    async def broken() -> NoReturn:
        raise kind

    def broken_plainly() -> NoReturn:
        raise kind

    handler = broken if place == "loop" else broken_plainly
    run = await beside_another(scheduler, clock, handler)

    assert run.outcome == "failed"
    assert run.error is not None
    assert kind.__name__ in run.error


async def test_a_long_error_is_cut_and_keeps_its_end(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def broken() -> NoReturn:
        msg = "x" * 1_000_000 + " the end"
        raise ValueError(msg)

    run = await beside_another(scheduler, clock, broken)

    assert run.error is not None
    assert len(run.error) <= 4 * 1024
    assert run.error.endswith("the end")


async def test_text_that_is_not_unicode_is_kept_in_a_way_that_can_be_read(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def odd(run: RunContext) -> NoReturn:
        run.log(f"log {LONE_SURROGATE}\0")
        run.progress(0.5, f"note {LONE_SURROGATE}\0")
        msg = f"error {LONE_SURROGATE}\0"
        raise ValueError(msg)

    run = await beside_another(scheduler, clock, odd)

    assert run.error is not None
    assert "ValueError: error" in run.error
    assert run.log[0].startswith("log")
    assert run.progress_note is not None
    assert run.progress_note.startswith("note")


@pytest.mark.parametrize(
    "result",
    [
        object(),
        {1j: 2},
        float("nan"),
        HostileMapping(a=1),
    ],
    ids=["object", "key", "nan", "mapping"],
)
async def test_a_result_that_cannot_be_kept_is_left_out_and_said_so(
    scheduler: Scheduler, clock: ManualClock, result: object
) -> None:
    async def odd() -> object:
        return result

    run = await beside_another(scheduler, clock, odd)

    assert (run.outcome, run.result) == ("succeeded", None)
    assert run.reason is not None
    assert "was not kept" in run.reason


async def test_a_result_that_contains_itself_is_left_out(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def odd() -> object:
        circle: list[object] = []
        circle.append(circle)
        return circle

    run = await beside_another(scheduler, clock, odd)

    assert (run.outcome, run.result) == ("succeeded", None)


async def test_a_result_that_is_too_long_is_left_out_and_said_so(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def odd() -> str:
        return "x" * 300_000

    run = await beside_another(scheduler, clock, odd)

    assert (run.outcome, run.result) == ("succeeded", None)
    assert run.reason is not None
    assert "262144" in run.reason


async def test_a_plain_handler_that_never_ends_keeps_its_thread_and_nothing_else(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    released = threading.Event()
    clock.patience = 0.02

    def stubborn() -> None:
        released.wait(timeout=30)

    def other() -> None:
        calls.append("other")

    await scheduler.schedule(
        stubborn, OneTime(clock.moment), id="s", timeout=timedelta(seconds=1)
    )
    await clock.advance(timedelta(seconds=7))
    await scheduler.schedule(other, OneTime(clock.moment), id="o")
    await clock.advance(SECOND)
    released.set()

    (run,) = await scheduler.runs("s")
    assert run.outcome == "timed_out"
    assert calls == ["other"]


async def test_a_loop_in_a_plain_handler_ends_where_it_asks(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    clock.patience = 0.02
    began = threading.Event()
    turn = threading.Event()

    def polite(run: RunContext) -> None:
        began.set()
        while not turn.wait(0.001):
            run.check_cancelled()

    await scheduler.schedule(polite, OneTime(clock.moment), id="p")
    await clock.advance(timedelta(milliseconds=1))
    assert began.wait(10)
    (run,) = await scheduler.runs("p")
    await scheduler.cancel_run(run, reason="enough")
    clock.patience = 5
    await clock.run_until_idle()

    ended = await scheduler.get_run(run)
    assert (ended.outcome, ended.reason) == ("cancelled", "enough")


@pytest.mark.parametrize("url", ["memory:", "sqlite"])
async def test_a_run_whose_handler_is_gone_waits_and_is_shown(
    url: str, tmp_path: Path, clock: ManualClock, calls: list[str]
) -> None:
    """Another instance, or the next release, may have it."""
    adapter = open_adapter(f"sqlite:///{tmp_path}/j.db" if url == "sqlite" else url)

    async def work() -> None:
        calls.append("done")

    async def with_or_without(act: Callable[[Scheduler], Awaitable[None]]) -> None:
        async with Scheduler(adapter, clock=clock) as scheduler:
            await act(scheduler)

    async def ask(scheduler: Scheduler) -> None:
        await scheduler.schedule("work", Interval(days=1), id="w")
        await scheduler.run_now("w")
        await clock.advance(5 * SECOND)
        health = await scheduler.health()
        assert health.unresolved == {"work": 1}
        assert not health.is_ok
        (run,) = await scheduler.runs("w")
        assert (run.state, run.outcome) == ("ready", None)

    async def serve(scheduler: Scheduler) -> None:
        scheduler.handler("work")(work)
        await clock.advance(5 * SECOND)
        assert (await scheduler.health()).unresolved == {}

    await with_or_without(ask)
    if adapter.traits.is_durable:
        await with_or_without(serve)
        assert calls == ["done"]


async def test_a_handler_that_does_not_heed_its_cancellation_is_told_of_while_it_hangs(
    scheduler: Scheduler, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    may_end = anyio.Event()

    async def hang() -> None:
        with anyio.CancelScope(shield=True):
            await may_end.wait()

    await scheduler.schedule(hang, Interval(hours=1), id="h", timeout=2 * SECOND)
    run = await scheduler.run_now("h")
    words = f"run {run.id!r} of job 'h' does not end, although it was cancelled"
    await clock.advance(6 * SECOND)
    assert (await scheduler.health()).is_ok
    assert words not in caplog.text

    await clock.advance(SECOND)
    (problem,) = (await scheduler.health()).problems
    assert f"{words} 5.0 s ago: it took longer than its limit" in problem
    assert caplog.text.count(words) == 1
    await clock.advance(60 * SECOND)
    assert caplog.text.count(words) == 2

    may_end.set()
    await scheduler.wait_for(run)
    assert (await scheduler.health()).is_ok


async def test_a_stop_tells_which_handlers_it_waits_for(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    may_end = anyio.Event()

    async def swallow() -> None:
        while not may_end.is_set():
            with anyio.CancelScope(shield=True):
                await may_end.wait()

    scheduler = Scheduler("memory:", clock=clock)

    async def let_end() -> None:
        await scheduler.wait_until_stopped()
        await clock.advance(5 * SECOND)
        may_end.set()

    async with anyio.create_task_group() as tasks, scheduler:
        await scheduler.schedule(swallow, Interval(hours=1), id="s")
        await scheduler.run_now("s")
        await clock.run_until_idle()
        tasks.start_soon(let_end)

    assert "of job 's' does not end, although it was cancelled" in caplog.text
