"""A handler in a process of its own: its result, its error, its death, its time limit."""

from __future__ import annotations

import importlib
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from nvent_sched import Interval, Retry, RunContext, Scheduler
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from types import ModuleType

    from nvent_sched import RunSnapshot
    from nvent_sched.testing import ManualClock

HOURS = Interval(hours=6)


@pytest.fixture
def crunching(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).with_name("importable"))
    return importlib.import_module("crunching")


@pytest.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    async with Scheduler("memory:", grace=timedelta()) as running:
        yield running


async def ran(
    scheduler: Scheduler,
    function: Callable[..., object],
    *,
    args: Sequence[object] = (),
    **policies: Any,  # noqa: ANN401  any of a job's
) -> RunSnapshot:
    """Run a function in a worker process."""
    name = function.__name__
    scheduler.handler(name, executor="process")(function)
    await scheduler.schedule(name, HOURS, id=name, args=args, **policies)
    return await scheduler.wait_for(await scheduler.run_now(name))


async def test_it_runs_elsewhere_and_its_result_comes_back(
    scheduler: Scheduler, crunching: ModuleType
) -> None:
    told = await ran(scheduler, crunching.whoami)
    added = await ran(scheduler, crunching.add, args=[2, 3])

    assert told.outcome == "succeeded"
    assert isinstance(told.result, int)
    assert told.result != os.getpid()
    assert (added.outcome, added.result) == ("succeeded", 5)


async def test_its_error_comes_back_with_text_traceback_and_class(
    scheduler: Scheduler, crunching: ModuleType
) -> None:
    retry = Retry(attempts=2, delay=timedelta(), on=(LookupError,))
    run = await ran(scheduler, crunching.break_down, args=["no bread"], retry=retry)

    assert (run.outcome, run.attempt) == ("failed", 2)
    assert run.error is not None
    assert run.error.endswith("LookupError: no bread")
    assert "in break_down" in run.error
    assert "nvent_sched" not in run.error


@pytest.mark.parametrize(
    ("name", "text"), [("be_picky", "PickyError: code 7"), ("leave", "SystemExit: 3")]
)
async def test_an_error_that_could_not_travel_is_told_all_the_same(
    scheduler: Scheduler, crunching: ModuleType, name: str, text: str
) -> None:
    run = await ran(scheduler, getattr(crunching, name))

    assert run.outcome == "failed"
    assert run.error is not None
    assert run.error.endswith(text)


async def test_a_result_that_is_not_json_is_not_kept_and_said_so(
    scheduler: Scheduler, crunching: ModuleType
) -> None:
    run = await ran(scheduler, crunching.odd)

    assert (run.outcome, run.result) == ("succeeded", None)
    assert run.reason is not None
    assert "not JSON" in run.reason


@pytest.mark.parametrize("name", ["vanish", "be_killed"])
async def test_a_process_that_dies_fails_its_run_only(
    scheduler: Scheduler, crunching: ModuleType, name: str
) -> None:
    dead = await ran(scheduler, getattr(crunching, name))
    after = await ran(scheduler, crunching.add, args=[1])

    assert dead.outcome == "failed"
    assert dead.error is not None
    assert "process died" in dead.error
    assert (after.outcome, after.result) == ("succeeded", 1)


async def test_ctrl_c_is_for_the_scheduler_to_answer(
    scheduler: Scheduler, crunching: ModuleType
) -> None:
    """A terminal sends it to every process of its group."""
    run = await ran(scheduler, crunching.interrupt)

    assert (run.outcome, run.result) == ("succeeded", "went on")


@pytest.mark.parametrize("how", ["timeout", "cancel", "stop"])
async def test_its_process_is_killed_when_it_must_not_go_on(
    tmp_path: Path, crunching: ModuleType, clock: ManualClock, how: str
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    timeout = timedelta(seconds=30) if how == "timeout" else None
    async with Scheduler("memory:", clock=clock) as scheduler:
        scheduler.handler("block", executor="process")(crunching.block)
        await scheduler.schedule(
            "block", HOURS, id="b", args=[str(pipe)], timeout=timeout, on_lost="fail"
        )
        run = await scheduler.run_now("b")
        pid = int(await anyio.Path(pipe).read_text())
        if how == "cancel":
            await scheduler.cancel_run(run)
        if how == "timeout":
            await clock.advance(timedelta(seconds=30))
        if how != "stop":
            run = await scheduler.wait_for(run)
            assert run.outcome == ("timed_out" if how == "timeout" else "cancelled")

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_no_more_processes_are_busy_than_there_may_be(
    tmp_path: Path, crunching: ModuleType
) -> None:
    pipes = [tmp_path / name for name in "abc"]
    for pipe in pipes:
        os.mkfifo(pipe)
    async with Scheduler("memory:", max_processes=3, grace=timedelta()) as scheduler:
        scheduler.handler("block", executor="process")(crunching.block)
        for pipe in pipes:
            await scheduler.schedule("block", HOURS, id=pipe.name, args=[str(pipe)])
            await scheduler.run_now(pipe.name)

        async with anyio.create_task_group() as readers:
            for pipe in pipes:
                readers.start_soon(anyio.Path(pipe).read_text)

        assert (await scheduler.health()).running == 3


def test_what_no_other_process_can_import_is_refused() -> None:
    scheduler = Scheduler("memory:")

    def local() -> None: ...

    for function in (local, lambda: None):
        with pytest.raises(UsageError, match="top level of a module"):
            scheduler.handler("name", executor="process")(function)


def test_what_was_typed_into_a_prompt_is_refused(
    crunching: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook: there is no file that another process could read."""
    scheduler = Scheduler("memory:")
    monkeypatch.setattr(crunching.add, "__module__", "__main__")
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)

    with pytest.raises(UsageError, match="notebook or a prompt"):
        scheduler.handler("name", executor="process")(crunching.add)


def test_what_takes_the_run_is_refused() -> None:
    scheduler = Scheduler("memory:")

    with pytest.raises(UsageError, match="take the run"):
        scheduler.handler("name", executor="process")(takes_the_run)


def takes_the_run(run: RunContext) -> None:
    del run


async def test_an_async_function_is_refused() -> None:
    scheduler = Scheduler("memory:")

    with pytest.raises(UsageError, match="async"):
        scheduler.handler("name", executor="process")(test_an_async_function_is_refused)
