"""Starting and stopping, in order and out of it: every wait ends, nothing is kept."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from nvent_sched import Interval, OneTime, Scheduler
from nvent_sched._model.queries import RunQuery
from nvent_sched._model.runs import RunState
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.errors import NotRunningError, StoreUnavailableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nvent_sched import RunSnapshot
    from nvent_sched._model.claims import Committed, Plan, Stale
    from nvent_sched._model.instants import Instant
    from nvent_sched.testing import ManualClock

HOURS = Interval(hours=6)


@pytest.fixture
def adapter(tmp_path: Path) -> SqliteAdapter:
    return SqliteAdapter(tmp_path / "jobs.db", busy_timeout=timedelta())


async def read_runs(adapter: SqliteAdapter, job_id: str) -> list[RunSnapshot]:
    async with Scheduler(adapter, runs_handlers=False) as client:
        return list(await client.runs(job_id))


class Endless:
    """A handler that begins, and ends when it is let."""

    def __init__(self) -> None:
        self.began, self.may_end = anyio.Event(), anyio.Event()

    async def wait(self) -> str:
        self.began.set()
        await self.may_end.wait()
        return "ended"


async def begin(scheduler: Scheduler, endless: Endless, *, on_lost: str) -> None:
    """Have a run going."""
    scheduler.handler("endless")(endless.wait)
    await scheduler.schedule("endless", HOURS, id="e", on_lost=on_lost)
    await scheduler.run_now("e")
    await endless.began.wait()


async def test_a_run_may_end_within_the_grace(adapter: SqliteAdapter) -> None:
    endless = Endless()
    scheduler = Scheduler(adapter, grace=timedelta(seconds=20))
    async with scheduler, anyio.create_task_group() as tasks:
        await begin(scheduler, endless, on_lost="retry")
        tasks.start_soon(scheduler.stop)
        await anyio.wait_all_tasks_blocked()
        endless.may_end.set()

    (run,) = await read_runs(adapter, "e")
    assert (run.outcome, run.result, run.attempt) == ("succeeded", "ended", 1)


@pytest.mark.parametrize(
    ("on_lost", "state", "outcome", "attempt"),
    [("retry", "ready", None, 2), ("fail", "finished", "cancelled", 1)],
)
async def test_after_the_grace_a_run_is_handed_back_or_cancelled(
    adapter: SqliteAdapter, on_lost: str, state: str, outcome: str | None, attempt: int
) -> None:
    async with Scheduler(adapter, grace=timedelta()) as scheduler:
        await begin(scheduler, Endless(), on_lost=on_lost)

    (run,) = await read_runs(adapter, "e")
    assert (run.state, run.outcome, run.attempt) == (state, outcome, attempt)


async def test_a_run_that_was_claimed_ahead_is_given_back_as_it_was(
    adapter: SqliteAdapter, clock: ManualClock
) -> None:
    async def work() -> None: ...

    async with Scheduler(adapter, clock=clock) as scheduler:
        await scheduler.schedule(work, OneTime(in_=timedelta(seconds=1)), id="w")
        await clock.advance(timedelta(seconds=0.9))
        (claimed,) = await scheduler.runs("w")

    (run,) = await read_runs(adapter, "w")
    assert claimed.state == "claimed"
    assert (run.state, run.attempt, run.crashes) == ("ready", 1, 0)


async def test_a_stop_ends_although_the_store_takes_nothing(
    adapter: SqliteAdapter, clock: ManualClock, tmp_path: Path
) -> None:
    endless = Endless()
    path = tmp_path / "jobs.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        async with Scheduler(adapter, clock=clock) as scheduler:
            await begin(scheduler, endless, on_lost="retry")
            other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")

    async with Scheduler(adapter, clock=clock) as scheduler:
        endless.may_end.set()
        scheduler.handler("endless")(endless.wait)
        (run,) = await scheduler.runs("e")
        ended = await scheduler.wait_for(run)
    assert (ended.outcome, ended.origin) == ("succeeded", "recovery")


async def test_starting_twice_is_refused_and_harms_nothing(
    scheduler: Scheduler,
) -> None:
    with pytest.raises(UsageError, match="running already"):
        await scheduler.start()

    assert (await scheduler.health()).is_ok


async def test_stopping_twice_or_before_the_start_does_nothing(store: str) -> None:
    scheduler = Scheduler(store)
    await scheduler.stop()
    await scheduler.start()
    await scheduler.stop()
    await scheduler.stop()

    with pytest.raises(NotRunningError):
        await scheduler.jobs()


async def test_only_the_task_that_started_it_can_stop_it_and_others_are_told(
    store: str,
) -> None:
    scheduler = Scheduler(store)
    await scheduler.start()

    async def stop() -> None:
        with pytest.raises(UsageError, match="use `async with` in one cell"):
            await scheduler.stop()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stop)
    assert (await scheduler.health()).is_ok

    await scheduler.stop()
    assert repr(scheduler) == f"<Scheduler {store} not running>"


async def test_of_tasks_that_start_it_at_once_one_does(store: str) -> None:
    scheduler = Scheduler(store)

    async def start_too() -> None:
        with pytest.raises(UsageError, match="running already"):
            await scheduler.start()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(start_too)
        await scheduler.start()
        await scheduler.stop()


async def test_two_who_stop_at_once_both_wait_for_the_end(store: str) -> None:
    async with Scheduler(store) as scheduler, anyio.create_task_group() as tasks:
        tasks.start_soon(scheduler.stop)
        tasks.start_soon(scheduler.stop)
        tasks.start_soon(scheduler.wait_until_stopped)


async def test_it_can_be_started_again_after_a_stop(
    adapter: SqliteAdapter, calls: list[str]
) -> None:
    async def work() -> None:
        calls.append("x")

    scheduler = Scheduler(adapter)
    scheduler.job(HOURS, id="w")(work)
    for _ in range(2):
        async with scheduler:
            await scheduler.wait_for(await scheduler.run_now("w"))

    assert calls == ["x", "x"]


class OwnError(Exception):
    """The user's."""


@pytest.mark.parametrize("kind", [OwnError, KeyboardInterrupt, SystemExit])
async def test_what_the_body_raises_comes_out_as_it_is_after_an_orderly_stop(
    adapter: SqliteAdapter, kind: type[BaseException]
) -> None:
    with pytest.raises(kind) as raised:  # noqa: PT012  the block is what is tested
        async with Scheduler(adapter, grace=timedelta()) as scheduler:
            await begin(scheduler, Endless(), on_lost="fail")
            raise kind

    assert type(raised.value) is kind
    (run,) = await read_runs(adapter, "e")
    assert run.outcome == "cancelled"


def test_an_interrupt_ends_the_program_and_not_the_handler_that_computes(
    store: str, anyio_backend_name: str, calls: list[str]
) -> None:
    async def compute() -> None:
        signal.raise_signal(signal.SIGINT)
        calls.append("computed")

    async def main() -> None:
        async with Scheduler(store) as scheduler:
            await scheduler.schedule(compute, HOURS, id="c")
            await scheduler.run_now("c")
            await anyio.sleep_forever()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            anyio.run(main, backend=anyio_backend_name)
    finally:
        signal.signal(signal.SIGINT, before)

    assert calls == ["computed"]


async def test_a_cancellation_from_outside_passes_through_and_gives_runs_back(
    adapter: SqliteAdapter,
) -> None:
    reached: list[str] = []
    with anyio.CancelScope() as scope:
        async with Scheduler(adapter) as scheduler:
            await begin(scheduler, Endless(), on_lost="retry")
            scope.cancel()
            await anyio.sleep_forever()
        reached.append("after")

    assert scope.cancelled_caught
    assert not reached
    (run,) = await read_runs(adapter, "e")
    assert (run.state, run.attempt) == ("ready", 2)


async def test_a_handler_can_stop_its_own_scheduler(store: str) -> None:
    async with Scheduler(store) as scheduler:

        async def last() -> str:
            await scheduler.stop()
            return "said"

        scheduler.handler("last")(last)
        await scheduler.schedule("last", HOURS, id="l")
        await scheduler.run_now("l")
        await scheduler.wait_until_stopped()


async def test_a_handler_stops_another_scheduler_in_order(
    scheduler: Scheduler, store: str
) -> None:
    other = Scheduler(store)

    async def start_and_stop() -> list[str]:
        said = []
        for _ in range(2):
            await other.start()
            await other.stop()
            said.append(repr(other))
        return said

    await scheduler.schedule(start_and_stop, HOURS, id="s")
    ended = await scheduler.wait_for(await scheduler.run_now("s"))

    assert ended.result == 2 * [f"<Scheduler {store} not running>"]


def make_folder(path: Path) -> None:
    path.parent.mkdir()


async def test_a_start_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "jobs.db"
    scheduler = Scheduler(SqliteAdapter(path))
    with pytest.raises(StoreUnavailableError):
        await scheduler.start()
    make_folder(path)

    async with scheduler:
        assert (await scheduler.health()).is_ok


class LateAnswers(MemoryAdapter):
    """A store whose answer to a claim comes when all else is over."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = anyio.Event()
        self.leaves = 0

    async def commit_plans(
        self, plans: Sequence[Plan], *, now: Instant, is_whole: bool = False
    ) -> tuple[Committed | Stale, ...]:
        answer = await super().commit_plans(plans, now=now, is_whole=is_whole)
        if any(plan.runs for plan in plans):
            await self.may_answer.wait()
        return answer

    async def leave(self, instance_id: str, *, now: Instant) -> None:
        self.leaves += 1
        if self.leaves == 2:
            self.may_answer.set()
            await anyio.wait_all_tasks_blocked()
        await super().leave(instance_id, now=now)


async def test_a_claim_that_is_answered_after_the_end_starts_nothing(
    clock: ManualClock, calls: list[str]
) -> None:
    store = LateAnswers()
    clock.patience = 0.02

    async def note() -> None:
        calls.append("began")

    async with Scheduler(store, clock=clock) as scheduler:
        await scheduler.schedule(note, OneTime(clock.moment), id="job")
        await clock.run_until_idle()

    (run,) = (await store.read_runs(RunQuery())).items
    assert store.leaves == 2
    assert calls == []
    assert run.state in {RunState.READY, RunState.CLAIMED}
