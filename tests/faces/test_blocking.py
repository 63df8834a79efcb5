"""The blocking front door: the same verbs without `await`, from any thread."""

from __future__ import annotations

import inspect
import pickle
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self

import pytest

from nvent_sched import BlockingScheduler, Interval, OneTime, RunContext, Scheduler
from nvent_sched.errors import (
    NotRunningError,
    RunFailedError,
    StoreError,
    UnknownJobError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

HOUR: Final = timedelta(hours=1)
ITS_OWN: Final = {"async_scheduler", "run_forever"}
ENTERED: Final = {"events", "deadline", "lock", "watchdog"}
"""Verbs whose answer is entered: with another word, and another kind of body."""


def names_of(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def parameters_of(kind: type, name: str) -> list[tuple[str, object, object]]:
    return [
        (each.name, each.kind, each.default)
        for each in inspect.signature(getattr(kind, name)).parameters.values()
    ]


VERBS: Final = sorted(
    name for name in names_of(Scheduler) if callable(getattr(Scheduler, name))
)


def test_it_has_the_names_of_the_async_one() -> None:
    assert names_of(BlockingScheduler) == names_of(Scheduler) | ITS_OWN


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_has_the_signature_of_the_async_one(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(kind, name)) for kind in KINDS)

    assert ours.parameters == theirs.parameters
    if name not in ENTERED:
        assert ours.return_annotation == theirs.return_annotation


@pytest.mark.parametrize("name", sorted(set(VERBS) - {"start"} - ENTERED))
def test_a_verb_has_the_docstring_of_the_async_one(name: str) -> None:
    ours, theirs = (inspect.getdoc(getattr(kind, name)) for kind in KINDS)

    assert ours == theirs


def test_it_has_the_settings_of_the_async_one_and_a_backend() -> None:
    ours, theirs = (parameters_of(kind, "__init__") for kind in KINDS)

    assert [each for each in ours if each[0] != "backend"] == theirs


KINDS: Final = (BlockingScheduler, Scheduler)


@pytest.fixture
def scheduler(anyio_backend_name: str) -> Iterator[BlockingScheduler]:
    with BlockingScheduler("memory:", backend=anyio_backend_name) as running:
        yield running


def test_a_plain_handler_runs_in_a_thread_of_its_own(
    scheduler: BlockingScheduler,
) -> None:
    @scheduler.handler("where")
    def where(run: RunContext) -> list[object]:
        return [run.job_id, threading.current_thread().name]

    scheduler.schedule("where", OneTime(in_=HOUR), id="job")
    run = scheduler.wait_for(scheduler.run_now("job"))

    assert run.result == ["job", "nvent-worker"]


def test_an_async_handler_runs_in_the_loop_of_the_scheduler(
    scheduler: BlockingScheduler,
) -> None:
    @scheduler.handler("where")
    async def where() -> str:
        return threading.current_thread().name

    scheduler.schedule("where", OneTime(in_=HOUR), id="job")
    run = scheduler.wait_for(scheduler.run_now("job"))

    assert run.result == "nvent-loop"


def interrupt() -> None:
    raise KeyboardInterrupt


class Interrupts:
    """Handles a signal where the n-th Python function of a call returns."""

    def __init__(self, step: int, handle: Callable[[], object] = interrupt) -> None:
        self._left, self._handle, self.have_come = step, handle, False

    def __call__(self, frame: FrameType, event: str, _arg: object) -> Self | None:
        frame.f_trace_lines = False
        if event == "return":
            self._left -= 1
            if self._left == 0:
                self.have_come = True
                self._handle()
        return None if self.have_come else self


def test_an_interrupt_at_any_step_of_a_call_leaves_the_loop_at_work(
    scheduler: BlockingScheduler,
) -> None:
    tracing = sys.gettrace()
    for step in count(1):
        interrupts = Interrupts(step)
        try:
            sys.settrace(interrupts)
            scheduler.jobs()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(tracing)
        if not interrupts.have_come:
            break

        assert scheduler.jobs().items == ()

    assert step > 5


def test_a_signal_handler_may_call_a_verb_at_any_step_of_a_call(
    scheduler: BlockingScheduler,
) -> None:
    tracing = sys.gettrace()
    for step in count(1):
        interrupts = Interrupts(step, scheduler.jobs)
        try:
            sys.settrace(interrupts)
            scheduler.jobs()
        finally:
            sys.settrace(tracing)
        if not interrupts.have_come:
            break

    assert step > 5


def test_of_threads_that_start_it_at_once_one_does(anyio_backend_name: str) -> None:
    scheduler = BlockingScheduler("memory:", backend=anyio_backend_name)
    at_once = threading.Barrier(4)

    def start(_: int) -> str:
        at_once.wait()
        try:
            scheduler.start()
        except UsageError as error:
            return str(error)
        return "started"

    with ThreadPoolExecutor(4) as threads:
        for _ in range(10):
            said = sorted(threads.map(start, range(4)))
            scheduler.stop()

            assert said == ["started", *3 * ["this scheduler is running already"]]


async def test_it_works_where_a_loop_is_running(anyio_backend_name: str) -> None:
    with BlockingScheduler("memory:", backend=anyio_backend_name) as scheduler:
        scheduler.schedule("work", Interval(hours=1), id="job")

        assert [job.id for job in scheduler.jobs().items] == ["job"]


def test_a_job_that_is_declared_later_is_stored_and_runs(
    scheduler: BlockingScheduler,
) -> None:
    with scheduler.events() as events:

        @scheduler.job(OneTime(in_=timedelta()), id="late")
        def late() -> None:
            """Be there."""

        ended = next(each for each in events if each.kind == "run_finished")

    assert (ended.job_id, ended.detail) == ("late", "succeeded")


def test_a_verb_needs_a_scheduler_that_runs(anyio_backend_name: str) -> None:
    scheduler = BlockingScheduler("memory:", backend=anyio_backend_name)
    with pytest.raises(NotRunningError, match="`with` a BlockingScheduler"):
        scheduler.jobs()
    with scheduler:
        pass
    with pytest.raises(NotRunningError, match="jobs"):
        scheduler.jobs()


def test_within_a_handler_another_one_is_stopped_at_the_end_of_its_block(
    scheduler: BlockingScheduler, anyio_backend_name: str
) -> None:
    other = BlockingScheduler("memory:", backend=anyio_backend_name)

    def enter_twice() -> list[str]:
        said = []
        for _ in range(2):
            with other:
                pass
            said.append(repr(other))
        return said

    scheduler.schedule(enter_twice, OneTime(in_=HOUR), id="job")
    run = scheduler.wait_for(scheduler.run_now("job"))

    assert run.result == 2 * ["<BlockingScheduler memory: not running>"]


def test_it_can_be_started_again_but_not_twice(anyio_backend_name: str) -> None:
    scheduler = BlockingScheduler("memory:", backend=anyio_backend_name)
    scheduler.start()
    first = scheduler.instance_id
    with pytest.raises(UsageError, match="running already"):
        scheduler.start()
    scheduler.stop()
    scheduler.stop()
    with scheduler:
        assert scheduler.instance_id != first
        assert "running" in repr(scheduler)
    assert repr(scheduler) == "<BlockingScheduler memory: not running>"


def test_a_store_that_cannot_be_opened_is_told_by_its_own_error(
    tmp_path: Path, anyio_backend_name: str
) -> None:
    (tmp_path / "jobs.db").write_text("this is no database, but long enough to be one")
    url = f"sqlite:///{tmp_path}/jobs.db"

    with pytest.raises(StoreError, match=r"jobs\.db"):
        BlockingScheduler(url, backend=anyio_backend_name).start()


def test_a_wait_has_its_time_out(scheduler: BlockingScheduler) -> None:
    scheduler.schedule("nobody's", OneTime(in_=HOUR), id="job")
    run = scheduler.run_now("job")

    with pytest.raises(TimeoutError):
        scheduler.wait_for(run, timeout=timedelta(milliseconds=20))


def test_a_failure_is_raised_where_it_was_asked_for(
    scheduler: BlockingScheduler,
) -> None:
    @scheduler.handler("broken")
    def broken() -> None:
        msg = "no paper"
        raise OSError(msg)

    scheduler.schedule("broken", OneTime(in_=HOUR), id="job")

    with pytest.raises(RunFailedError, match="no paper"):
        scheduler.wait_for(scheduler.run_now("job"), raise_on_failure=True)


def test_an_error_shows_the_line_that_asked(scheduler: BlockingScheduler) -> None:
    with pytest.raises(UnknownJobError) as caught:
        scheduler.pause("nobody")

    shown = "".join(traceback.format_exception(caught.value))
    assert 'scheduler.pause("nobody")' in shown
    assert "ExceptionGroup" not in shown


def test_an_async_handler_is_told_to_use_the_async_verbs(
    scheduler: BlockingScheduler,
) -> None:
    @scheduler.handler("wrong")
    async def wrong() -> None:
        scheduler.jobs()

    @scheduler.handler("right")
    async def right() -> int:
        return len((await scheduler.async_scheduler.jobs()).items)

    for name in ("wrong", "right"):
        scheduler.schedule(name, OneTime(in_=HOUR), id=name)
    failed = scheduler.wait_for(scheduler.run_now("wrong"))
    went_well = scheduler.wait_for(scheduler.run_now("right"))

    assert failed.error is not None
    assert "await scheduler.async_scheduler.jobs(...)" in failed.error
    assert went_well.result == 2


def test_a_plain_handler_may_use_the_verbs(scheduler: BlockingScheduler) -> None:
    @scheduler.handler("look")
    def look() -> int:
        return len(scheduler.jobs().items)

    scheduler.schedule("look", OneTime(in_=HOUR), id="job")

    assert scheduler.wait_for(scheduler.run_now("job")).result == 1


def test_a_plain_handler_can_ask_for_the_stop(anyio_backend_name: str) -> None:
    scheduler = BlockingScheduler("memory:", backend=anyio_backend_name)

    @scheduler.job(OneTime(in_=timedelta()), id="last")
    def last() -> None:
        scheduler.stop()

    scheduler.start()
    scheduler.wait_until_stopped()
    scheduler.stop()

    assert "not running" in repr(scheduler)


def test_the_events_end_with_the_scheduler(scheduler: BlockingScheduler) -> None:
    with scheduler.events() as events, ThreadPoolExecutor() as others:
        kinds = others.submit(lambda: [each.kind for each in events])
        scheduler.schedule("nobody's", Interval(hours=1), id="job")
        scheduler.stop()

    assert "job_added" in kinds.result()


def test_who_waits_hears_of_the_stop(scheduler: BlockingScheduler) -> None:
    scheduler.schedule("nobody's", OneTime(in_=HOUR), id="job")
    run = scheduler.run_now("job")
    with ThreadPoolExecutor() as others:
        waiting = others.submit(scheduler.wait_for, run)
        scheduler.stop()

        with pytest.raises(NotRunningError):
            waiting.result()


def test_many_threads_may_use_one(scheduler: BlockingScheduler) -> None:
    def add(number: int) -> bool:
        scheduler.schedule("work", Interval(hours=1), id=f"j{number}")
        return scheduler.pause(f"j{number}")

    with ThreadPoolExecutor(16) as others:
        paused = list(others.map(add, range(64)))

    assert all(paused)
    assert len(scheduler.jobs(status="paused").items) == 64


def test_it_cannot_be_sent_to_another_process() -> None:
    with pytest.raises(UsageError, match="make one there"):
        pickle.dumps(BlockingScheduler("memory:"))


def test_a_backend_that_is_none_is_refused() -> None:
    wrong: Any = "twisted"
    with pytest.raises(UsageError, match="'asyncio', 'trio'"):
        BlockingScheduler("memory:", backend=wrong)
