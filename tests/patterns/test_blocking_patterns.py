"""The same without `await`: a plain body cannot be cancelled, so it asks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from nvent_sched import BlockingScheduler
from nvent_sched.errors import (
    AwaitCancelledError,
    DeadlineError,
    LockLostError,
    LockTimeoutError,
    NotRunningError,
    UnknownJobError,
    UsageError,
)
from nvent_sched.testing import ManualClock
from tests.patterns.conftest import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOTHING, SECOND = timedelta(), timedelta(seconds=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(params=["asyncio", "trio"])
def scheduler(
    request: pytest.FixtureRequest, clock: ManualClock
) -> Iterator[BlockingScheduler]:
    with BlockingScheduler("memory:", backend=request.param, clock=clock) as running:
        yield running


@pytest.fixture
def advance(
    scheduler: BlockingScheduler, clock: ManualClock
) -> Callable[[timedelta], None]:
    """Move the clock from this thread."""
    return lambda by: scheduler._life.call(clock.advance, by)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def until_waits(scheduler: BlockingScheduler, key: str) -> None:
    """Return once somebody in another thread waits for a key."""
    patience = threading.Event()
    while not any(each.key == key and each.waiters for each in scheduler.awaits()):
        patience.wait(0.001)


def test_a_thread_waits_until_the_stored_time(
    scheduler: BlockingScheduler,
    advance: Callable[[timedelta], None],
    pool: ThreadPoolExecutor,
) -> None:
    waiting = pool.submit(scheduler.sleep, "key", seconds=5)
    until_waits(scheduler, "key")
    advance(5 * SECOND)

    assert waiting.result(10).woken == START + 5 * SECOND
    assert scheduler.sleep_until("key", START).scheduled == START + 5 * SECOND


def test_another_thread_cancels_it(
    scheduler: BlockingScheduler, pool: ThreadPoolExecutor
) -> None:
    waiting = pool.submit(scheduler.sleep, "key", hours=1)
    until_waits(scheduler, "key")

    assert scheduler.cancel_await("key", reason="enough")
    with pytest.raises(AwaitCancelledError, match="enough"):
        waiting.result(10)


def test_a_stop_ends_it(scheduler: BlockingScheduler, pool: ThreadPoolExecutor) -> None:
    waiting = pool.submit(scheduler.sleep, "key", hours=1)
    until_waits(scheduler, "key")

    scheduler.stop()

    with pytest.raises(NotRunningError):
        waiting.result(10)


def test_a_body_asks_whether_it_is_past_its_deadline(
    scheduler: BlockingScheduler, advance: Callable[[timedelta], None]
) -> None:
    steps: list[timedelta] = []

    def work() -> None:
        with scheduler.deadline("key", seconds=5) as limit:
            while True:
                limit.check()
                steps.append(limit.left)
                advance(2 * SECOND)

    with pytest.raises(DeadlineError, match="key"):
        work()
    assert steps == [5 * SECOND, 3 * SECOND, SECOND]
    with pytest.raises(DeadlineError), scheduler.deadline("key", hours=1):
        pytest.fail("it is past")


def test_work_that_ends_in_time_forgets_its_deadline(
    scheduler: BlockingScheduler,
) -> None:
    with scheduler.deadline("key", seconds=5) as limit:
        assert limit.at == START + 5 * SECOND

    with pytest.raises(UnknownJobError):
        scheduler.get_job("deadline:key")


def test_a_deadline_that_was_not_entered_knows_nothing(
    scheduler: BlockingScheduler,
) -> None:
    with pytest.raises(UsageError, match="entered"):
        _ = scheduler.deadline("key", seconds=5).at


def test_one_thread_at_a_time_has_a_lock(
    scheduler: BlockingScheduler, pool: ThreadPoolExecutor
) -> None:
    inside, most = list[int](), list[int]()

    def work() -> int:
        with scheduler.lock("it") as lock:
            inside.append(1)
            most.append(len(inside))
            inside.pop()
        return lock.fencing_token

    # The clock stands still: who waits is told, and polls nothing.
    tokens = [each.result(20) for each in [pool.submit(work) for _ in range(20)]]

    assert most == [1] * 20
    assert len(set(tokens)) == 20


def test_who_does_not_wait_is_told(scheduler: BlockingScheduler) -> None:
    with (
        scheduler.lock("it") as lock,
        pytest.raises(LockTimeoutError),
        scheduler.lock("it", wait=NOTHING),
    ):
        pytest.fail("it is held")

    assert lock.name == "it"
    assert scheduler.locks() == ()


def test_a_body_is_told_when_its_lock_is_lost(
    scheduler: BlockingScheduler, clock: ManualClock
) -> None:
    def work() -> None:
        with scheduler.lock("it", ttl=10 * SECOND) as lock:
            lock.check()
            assert not lock.is_lost
            # As a process that was stopped wakes up: no loop has had a turn yet.
            clock._monotonic_us += 9_000_000
            assert lock.is_lost
            lock.check()

    with pytest.raises(LockLostError, match="renewed in time"):
        work()


def test_a_stop_loses_what_is_held(scheduler: BlockingScheduler) -> None:
    with pytest.raises(LockLostError, match="stopped"), scheduler.lock("it"):
        scheduler.stop()
