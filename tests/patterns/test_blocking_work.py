"""Watchdogs and triggers without `await`, from any thread."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched import BlockingScheduler
from nvent_sched.errors import NotRunningError, TriggerClosedError

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = timedelta(hours=1)
PATIENCE = timedelta(seconds=30)


@pytest.fixture
def scheduler(anyio_backend_name: str) -> Iterator[BlockingScheduler]:
    with BlockingScheduler("memory:", backend=anyio_backend_name) as running:
        yield running


def test_a_block_is_watched_while_it_lasts(scheduler: BlockingScheduler) -> None:
    with scheduler.watchdog("w", timeout=HOUR, metadata={"a": 1}) as dog:
        threads = [threading.Thread(target=dog.beat) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (seen,) = scheduler.watchdogs()

    assert (seen.key, seen.state, seen.metadata) == ("w", "alive", {"a": 1})
    assert scheduler.watchdogs().items == ()


def test_a_block_left_by_an_exception_leaves_it_armed(
    scheduler: BlockingScheduler,
) -> None:
    dog = scheduler.watchdog("w", timeout=HOUR)
    with pytest.raises(LookupError), dog:
        raise LookupError

    assert [each.key for each in scheduler.watchdogs()] == ["w"]
    assert dog.finish()


def test_silence_calls_a_plain_function(scheduler: BlockingScheduler) -> None:
    alarms: list[dict[str, Any]] = []
    raised = threading.Event()

    def alarm(stall: dict[str, Any]) -> None:
        alarms.append(stall)
        raised.set()

    scheduler.start_watchdog("w", timeout=timedelta(milliseconds=100), on_stall=alarm)

    assert raised.wait(PATIENCE.total_seconds())
    assert alarms[0]["key"] == "w"
    scheduler.beat_watchdog("w")
    assert scheduler.finish_watchdog("w")


def test_a_sweep_can_be_declared_before_the_start(anyio_backend_name: str) -> None:
    swept = threading.Event()
    scheduler = BlockingScheduler("memory:", backend=anyio_backend_name)

    def find() -> dict[str, datetime]:
        swept.set()
        return {"old": datetime(2026, 1, 1, tzinfo=UTC)}

    scheduler.stall_sweep(find, timeout=HOUR, every=timedelta(milliseconds=50))
    with scheduler:
        assert swept.wait(PATIENCE.total_seconds())


def test_what_is_fired_is_heard(scheduler: BlockingScheduler) -> None:
    scheduler.trigger("t")

    @scheduler.on("t")
    def double(payload: int) -> int:
        return 2 * payload

    fire = scheduler.wait_for(scheduler.fire("t", 21), timeout=PATIENCE)
    run = scheduler.wait_for(f"on:t:double!{fire.id}", timeout=PATIENCE)

    assert run.result == 42
    assert [each.name for each in scheduler.triggers()] == ["t"]


def test_a_trigger_is_paused_resumed_and_retired(scheduler: BlockingScheduler) -> None:
    scheduler.trigger("t")
    scheduler.fire("t")
    done = [
        scheduler.pause_trigger("t"),
        scheduler.resume_trigger("t"),
        scheduler.retire_trigger("t"),
    ]

    assert done == [True, True, True]
    with pytest.raises(TriggerClosedError):
        scheduler.fire("t")


def test_nothing_is_watched_before_the_start() -> None:
    with pytest.raises(NotRunningError):
        BlockingScheduler("memory:").watchdog("w", timeout=HOUR)
