"""Whatever a handler does, it has one outcome and costs no other job anything."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from nvent_sched import Cron, Interval, OneTime, Outcome, Retry, RunContext, Scheduler
from nvent_sched._views.words import run_note
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.errors import RunFailedError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from nvent_sched.testing import ManualClock

SECOND = timedelta(seconds=1)


async def test_a_handler_that_raises_fails_with_its_traceback(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    def broken() -> NoReturn:
        msg = "no bread"
        raise LookupError(msg)

    await scheduler.schedule(broken, OneTime(in_=SECOND), id="b")
    await clock.advance(2 * SECOND)

    (run,) = await scheduler.runs("b")
    assert run.outcome == "failed"
    assert run.error is not None
    assert run.error.endswith("LookupError: no bread")
    assert "in broken" in run.error
    assert "nvent_sched" not in run.error


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
async def test_a_base_exception_fails_its_run_only(
    scheduler: Scheduler,
    clock: ManualClock,
    calls: list[str],
    kind: type[BaseException],
) -> None:
    async def broken() -> NoReturn:
        raise kind

    async def other() -> None:
        calls.append("other")

    await scheduler.schedule(broken, OneTime(in_=SECOND), id="b")
    await scheduler.schedule(other, OneTime(in_=2 * SECOND), id="o")
    await clock.advance(3 * SECOND)

    (run,) = await scheduler.runs("b")
    assert run.outcome == "failed"
    assert calls == ["other"]


async def test_a_failed_run_is_retried_with_growing_delays(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    times: list[timedelta] = []
    began = clock.moment

    async def flaky(run: RunContext) -> str:
        times.append(clock.moment - began)
        if run.attempt < 4:
            raise ConnectionError
        return "done"

    retry = Retry(attempts=5, delay=SECOND, backoff=2.0)
    await scheduler.schedule(flaky, OneTime(clock.moment), id="f", retry=retry)
    await clock.advance(20 * SECOND)

    assert times == [0 * SECOND, SECOND, 3 * SECOND, 7 * SECOND]
    (run,) = await scheduler.runs("f")
    assert (run.outcome, run.result, run.attempt) == ("succeeded", "done", 4)
    assert [each.outcome for each in run.attempts] == ["failed"] * 3
    assert (await scheduler.stats("f")).retries == 3


async def test_an_error_that_is_not_worth_it_is_not_retried(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def broken() -> NoReturn:
        raise ValueError

    retry = Retry(attempts=5, on=(ConnectionError,))
    await scheduler.schedule(broken, OneTime(clock.moment), id="b", retry=retry)
    await clock.advance(20 * SECOND)

    (run,) = await scheduler.runs("b")
    assert (run.outcome, run.attempt) == ("failed", 1)


@pytest.mark.parametrize(
    ("retry", "attempts"),
    [
        (Retry(attempts=3, on=(ConnectionError,)), 3),
        (Retry(attempts=3, on=(LookupError,)), 1),
        (Retry(attempts=3, never_on=(ValueError,)), 1),
        (Retry(attempts=3, on=(OSError,), never_on=(ValueError,)), 1),
    ],
)
async def test_what_a_group_of_errors_holds_decides_whether_it_is_retried(
    scheduler: Scheduler, clock: ManualClock, retry: Retry, attempts: int
) -> None:
    async def broken() -> NoReturn:
        inner = ExceptionGroup("inner", [ValueError()])
        msg = "what a task group raises"
        raise ExceptionGroup(msg, [ConnectionError(), inner])

    await scheduler.schedule(broken, OneTime(clock.moment), id="b", retry=retry)
    await clock.advance(20 * SECOND)

    (run,) = await scheduler.runs("b")
    assert (run.outcome, run.attempt) == ("failed", attempts)


async def test_a_handler_that_leaves_its_work_to_nobody_has_failed(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def work() -> None:
        pytest.fail("somebody awaited it")

    def wrapper() -> Awaitable[None]:
        return work()

    await scheduler.schedule(wrapper, OneTime(clock.moment), id="w")
    await clock.advance(SECOND)

    (run,) = await scheduler.runs("w")
    assert run.outcome == "failed"
    assert run.error is not None
    assert "nothing of it ran; make the handler async" in run.error


def yields() -> Iterator[None]:
    yield


async def yields_async() -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(
    "function", [yields, yields_async, partial(yields)], ids=["plain", "async", "part"]
)
async def test_a_function_that_yields_is_no_handler(
    scheduler: Scheduler, function: Callable[..., object]
) -> None:
    with pytest.raises(UsageError, match="'lazy' yields"):
        scheduler.handler("lazy")(function)


async def test_a_result_that_is_not_json_is_not_kept_and_said_so(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def odd() -> object:
        return object()

    await scheduler.schedule(odd, OneTime(in_=SECOND), id="odd")
    await clock.advance(2 * SECOND)

    (run,) = await scheduler.runs("odd")
    assert (run.outcome, run.result) == ("succeeded", None)
    assert run.reason is not None
    assert "not JSON" in run.reason


async def test_an_async_handler_that_never_ends_is_timed_out(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def endless() -> None:
        await clock.sleep(timedelta(days=1))

    await scheduler.schedule(
        endless, OneTime(clock.moment), id="e", timeout=timedelta(seconds=30)
    )
    await clock.advance(timedelta(seconds=31))

    (run,) = await scheduler.runs("e")
    assert run.outcome == "timed_out"
    assert run.duration == timedelta(seconds=30)


async def test_a_plain_handler_is_asked_to_stop_when_its_time_is_up(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    def polite(run: RunContext) -> None:
        while True:
            run.check_cancelled()

    await scheduler.schedule(
        polite, OneTime(clock.moment), id="p", timeout=timedelta(seconds=1)
    )
    clock.patience = 0.02
    await clock.advance(timedelta(seconds=2))

    (run,) = await scheduler.runs("p")
    assert run.outcome == "timed_out"


async def test_a_thread_that_does_not_stop_is_left_behind(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    released = threading.Event()

    def stubborn() -> None:
        released.wait(timeout=20)

    await scheduler.schedule(
        stubborn, OneTime(clock.moment), id="s", timeout=timedelta(seconds=1)
    )
    clock.patience = 0.02
    await clock.advance(timedelta(seconds=10))
    released.set()

    (run,) = await scheduler.runs("s")
    assert run.outcome == "timed_out"
    assert run.reason is not None
    assert "left behind" in run.reason


async def test_a_run_can_be_cancelled_while_it_goes(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def endless() -> None:
        await clock.sleep(timedelta(days=1))

    await scheduler.schedule(endless, OneTime(clock.moment), id="e")
    await clock.advance(SECOND)
    (run,) = await scheduler.runs("e")
    was_cancelled = await scheduler.cancel_run(run, reason="enough")
    await clock.run_until_idle()

    ended = await scheduler.get_run(run)
    assert was_cancelled
    assert (ended.outcome, ended.reason) == ("cancelled", "enough")


async def test_a_run_that_is_cancelled_as_it_fails_is_not_retried(
    clock: ManualClock, calls: list[str]
) -> None:
    store = MemoryAdapter()
    async with (
        Scheduler(store, clock=clock, runs_handlers=False) as other,
        Scheduler(store, clock=clock) as scheduler,
    ):

        async def broken(run: RunContext) -> NoReturn:
            calls.append("x")
            await other.cancel_run(run.id, reason="enough")
            raise ValueError

        retry = Retry(attempts=5, delay=SECOND)
        await scheduler.schedule(broken, OneTime(clock.moment), id="b", retry=retry)
        await clock.advance(timedelta(minutes=1))

        (run,) = await scheduler.runs("b")
    assert calls == ["x"]
    assert (run.outcome, run.reason) == ("cancelled", "enough")
    assert [each.outcome for each in run.attempts] == ["failed"]


async def fail_until_paused(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    """Let job "b" fail every ten seconds, as often as it may."""

    async def broken() -> NoReturn:
        calls.append("x")
        raise ValueError

    await scheduler.schedule(
        broken, Interval(seconds=10), id="b", pause_after_failures=3
    )
    await clock.advance(timedelta(minutes=2))


async def test_a_job_is_paused_after_failures_in_a_row(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    await fail_until_paused(scheduler, clock, calls)

    job = await scheduler.get_job("b")
    assert len(calls) == 3
    assert job.status == "paused"
    assert "3 failures in a row" in job.note


async def test_a_job_that_was_resumed_may_fail_as_often_again(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    await fail_until_paused(scheduler, clock, calls)
    await scheduler.resume("b")

    await clock.advance(timedelta(seconds=25))
    between = (len(calls), (await scheduler.get_job("b")).status)
    await clock.advance(timedelta(minutes=2))

    assert between == (5, "active")
    assert (len(calls), (await scheduler.get_job("b")).status) == (6, "paused")


async def test_progress_and_log_lines_are_kept(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    def work(run: RunContext) -> None:
        run.log("half")
        run.progress(0.5, "halfway")

    await scheduler.schedule(work, OneTime(clock.moment), id="w")
    await clock.advance(SECOND)

    (run,) = await scheduler.runs("w")
    assert run.log == ("half",)
    assert (run.progress, run.progress_note) == (0.5, "halfway")


async def test_waiting_for_a_failed_run_can_raise(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def broken() -> NoReturn:
        msg = "no bread"
        raise ValueError(msg)

    await scheduler.schedule(broken, Interval(days=1), id="b")
    run = await scheduler.run_now("b")
    await clock.run_until_idle()

    with pytest.raises(RunFailedError, match="no bread"):
        await scheduler.wait_for(run, raise_on_failure=True)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            RuntimeError("(locked) no\n(Background on: https://x)"),
            "RuntimeError: (locked) no",
        ),
        (
            ExceptionGroup("unhandled errors in a TaskGroup", [ValueError("the real")]),
            (
                "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception): "
                "ValueError: the real"
            ),
        ),
        (
            RuntimeError(f"too long\n{'x' * 10_000}"),
            "RuntimeError: too long",
        ),
    ],
    ids=["many lines", "group", "long"],
)
async def test_what_is_told_of_a_failed_run_in_one_line_names_its_error(
    scheduler: Scheduler,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    line: str,
) -> None:
    async def broken() -> NoReturn:
        error.add_note("a note")
        raise error

    await scheduler.schedule(broken, Interval(days=1), id="b")
    run = await scheduler.run_now("b")
    await clock.run_until_idle()

    assert (await scheduler.stats("b")).last_error == line
    assert run_note(await scheduler.get_run(run.id)) == line
    assert [vars(each).get("error") for each in caplog.records] == [line]
    with pytest.raises(RunFailedError) as caught:
        await scheduler.wait_for(run, raise_on_failure=True)
    assert str(caught.value) == f"run {run.id} ended as failed: {line}"


async def test_an_unknown_handler_is_left_alone_and_shown(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    await scheduler.schedule("somewhere.else", OneTime(clock.moment), id="u")
    await clock.advance(timedelta(minutes=5))

    health = await scheduler.health()
    assert health.unresolved == {"somewhere.else": 1}
    assert (await scheduler.get_job("u")).status == "active"
    assert not await scheduler.runs("u")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"id": ""}, "1 to 200"),
        ({"id": "x" * 201}, "1 to 200"),
        ({"id": "a\nb"}, "control"),
        ({"args": [object()]}, "JSON"),
        ({"args": ["x" * 300_000]}, "262144"),
        ({"kwargs": {"nope": 1}}, "nope"),
        ({"overlap": "sometimes"}, "overlap"),
        ({"timeout": 5}, "timedelta"),
        ({"retry": 3}, "Retry"),
        ({"unheard_of": 3}, "unheard_of"),
        ({"tags": "ops"}, "list"),
    ],
)
async def test_bad_input_is_refused_and_nothing_is_stored(
    scheduler: Scheduler, change: dict[str, object], text: str
) -> None:
    async def handler(word: str = "") -> None: ...

    words: dict[str, object] = {"id": "ok", **change}
    with pytest.raises(UsageError, match=text):
        await scheduler.schedule(handler, Interval(seconds=1), **words)  # type: ignore[arg-type]

    assert not await scheduler.jobs()


async def test_a_job_that_would_never_run_is_refused(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def handler() -> None: ...

    with pytest.raises(UsageError, match="would never run"):
        await scheduler.schedule(handler, Cron("0 0 0 1 1 ? 2001"), id="over")
    with pytest.raises(UsageError, match="would never run"):
        await scheduler.schedule(
            handler, Interval(hours=1), id="over", ends_at=clock.moment
        )

    assert not await scheduler.jobs()


@pytest.mark.parametrize("store", [5, b"redis://ada:secret@host/0", object()])
def test_what_is_neither_an_adapter_nor_a_url_is_no_store(store: Any) -> None:  # noqa: ANN401
    with pytest.raises(UsageError, match="a store is an adapter or a URL") as refused:
        Scheduler(store)

    assert "secret" not in str(refused.value)


async def test_a_lambda_needs_a_name(scheduler: Scheduler) -> None:
    with pytest.raises(UsageError, match="no name"):
        await scheduler.schedule(lambda: None, Interval(seconds=1), id="x")


async def test_a_second_job_with_one_id_can_be_an_error(scheduler: Scheduler) -> None:
    async def handler() -> None: ...

    await scheduler.schedule(handler, Interval(seconds=1), id="x")

    with pytest.raises(UsageError, match="different job"):
        await scheduler.schedule(
            handler, Interval(seconds=2), id="x", if_exists="error"
        )


async def test_every_outcome_has_a_word() -> None:
    assert len(Outcome) == 8
