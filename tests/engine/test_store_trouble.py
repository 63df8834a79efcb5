"""Whatever the store does, the loops go on trying, `health` tells, and nothing is lost."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

import pytest

from nvent_sched import Interval, OneTime, Retry, RunContext, Scheduler
from nvent_sched._engine.passes import BACKOFF_US, BACKOFF_US_MAX
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.testing.faulty import Fault, with_faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from nvent_sched.testing import ManualClock

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def adapter(path: Path) -> SqliteAdapter:
    return SqliteAdapter(path, busy_timeout=timedelta())


@pytest.fixture
async def scheduler(
    adapter: SqliteAdapter, clock: ManualClock
) -> AsyncIterator[Scheduler]:
    # Long, so that trouble does not end our trust in what is going.
    async with Scheduler(
        adapter, clock=clock, dead_after=10 * MINUTE, lease=30 * MINUTE
    ) as running:
        yield running


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file's write lock, as another process would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def pragma(adapter: SqliteAdapter, text: str) -> None:
    """Let the adapter's own connection meet a limit."""
    await adapter._read(
        lambda connection: connection.execute(f"PRAGMA {text}").fetchone()
    )


class Times(logging.Handler):
    """When each loop met trouble, on the monotonic clock."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self.met: dict[str, list[int]] = {}
        self.back: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        loop = str(vars(record)["loop"])
        if record.levelno >= logging.WARNING:
            self.met.setdefault(loop, []).append(self._clock.monotonic_us())
        else:
            self.back.add(loop)


@pytest.fixture
def times(clock: ManualClock) -> Iterator[Times]:
    log = logging.getLogger("nvent_sched._engine.passes")
    times, level = Times(clock), log.level
    log.addHandler(times)
    log.setLevel(logging.INFO)
    yield times
    log.removeHandler(times)
    log.setLevel(level)


async def tick() -> None:
    """Be planned: what only reads does not meet the lock."""


async def test_a_loop_tries_again_after_waits_that_grow_to_a_limit(
    scheduler: Scheduler, clock: ManualClock, path: Path, times: Times
) -> None:
    await scheduler.schedule(tick, Interval(seconds=1), id="tick")
    assert not times.met, "there was trouble before"
    with locked(path):
        await clock.advance(2 * MINUTE)

    waits = [after - before for before, after in pairwise(times.met["planner"])]
    assert waits[0] == BACKOFF_US
    assert all(
        after in {2 * before, BACKOFF_US_MAX} for before, after in pairwise(waits)
    )
    assert waits.count(BACKOFF_US_MAX) > 5


async def test_health_tells_what_is_wrong_and_since_when(
    scheduler: Scheduler, clock: ManualClock, path: Path, times: Times
) -> None:
    await scheduler.schedule(tick, Interval(seconds=1), id="tick")
    await clock.run_until_idle()
    with locked(path):
        await clock.advance(90 * SECOND)
        during = await scheduler.health()
    await clock.advance(10 * SECOND)
    after = await scheduler.health()

    assert not during.is_ok
    assert during.store is not None
    assert "StoreBusyError" in during.store
    assert during.pass_age["planner"] > MINUTE
    assert any("planner: last good pass" in problem for problem in during.problems)
    assert (after.is_ok, after.store, after.problems) == (True, None, ())
    assert after.pass_age["planner"] < 10 * SECOND
    assert "planner" in times.back


@pytest.mark.parametrize(
    ("broken", "mended", "kind"),
    [
        ("max_page_count = 1", "max_page_count = 99999", "StoreFullError"),
        ("query_only = 1", "query_only = 0", "StoreReadOnlyError"),
    ],
    ids=["full", "read-only"],
)
async def test_a_run_that_ends_while_nothing_can_be_written_is_not_lost(  # noqa: PLR0913
    scheduler: Scheduler,
    adapter: SqliteAdapter,
    clock: ManualClock,
    calls: list[str],
    broken: str,
    mended: str,
    kind: str,
) -> None:
    async def work() -> str:
        calls.append("began")
        await pragma(adapter, broken)
        return "x" * 50_000

    await scheduler.schedule(work, OneTime(in_=SECOND), id="w")
    await scheduler.schedule(work, OneTime(in_=MINUTE), id="w2")
    await clock.advance(90 * SECOND)
    during = await scheduler.health()
    (waiting,) = await scheduler.runs("w")
    await pragma(adapter, mended)
    await clock.advance(11 * SECOND)
    await pragma(adapter, mended)
    await clock.advance(11 * SECOND)

    assert during.store is not None
    assert kind in during.store
    assert waiting.state == "claimed"
    (run,) = await scheduler.runs("w")
    (late,) = await scheduler.runs("w2")
    assert [(run.outcome, run.attempt), (late.outcome, late.attempt)] == [
        ("succeeded", 1)
    ] * 2
    assert calls == ["began"] * 2
    assert (await scheduler.health()).is_ok


def delete(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink()


def move(path: Path, to: Path) -> None:
    path.rename(to)


def is_there(path: Path) -> bool:
    return path.exists()


async def test_a_file_that_is_deleted_under_us_is_noticed(
    scheduler: Scheduler, clock: ManualClock, path: Path
) -> None:
    async def work() -> None: ...

    await scheduler.schedule(work, Interval(seconds=1), id="w")
    await clock.advance(2 * SECOND)
    delete(path)
    await clock.advance(2 * SECOND)
    health = await scheduler.health()

    assert health.store is not None
    assert "deleted" in health.store
    assert not is_there(path), "an empty store in its place would hide the loss"


async def test_a_file_that_is_put_back_is_used_again(
    scheduler: Scheduler, clock: ManualClock, path: Path, calls: list[str]
) -> None:
    async def work() -> None:
        calls.append("x")

    await scheduler.schedule(work, Interval(seconds=1), id="w")
    await clock.advance(2 * SECOND)
    aside = path.with_name("aside.db")
    move(path, aside)
    await clock.advance(2 * SECOND)
    during = await scheduler.health()
    move(aside, path)
    calls.clear()
    await clock.advance(20 * SECOND)

    assert not during.is_ok
    assert (await scheduler.health()).is_ok
    assert len(calls) >= 10


class Deaf:
    """A store that takes no heartbeat while it is deaf, and counts claims."""

    def __init__(self) -> None:
        self.is_deaf = False
        self.begins = 0

    def next(self, verb: str, /) -> Fault | None:
        self.begins += verb == "begin"
        return Fault.FAILS_BEFORE if self.is_deaf and verb == "renew" else None

    def delay_us(self) -> int:
        return 0


async def test_an_instance_that_is_not_heard_of_claims_nothing(
    clock: ManualClock, calls: list[str]
) -> None:
    async def work() -> None:
        calls.append("x")

    store = Deaf()
    adapter = with_faults(MemoryAdapter(), store, clock=clock)
    async with Scheduler(adapter, clock=clock) as scheduler:
        await scheduler.schedule(work, OneTime(in_=timedelta(seconds=40)), id="w")
        store.is_deaf = True
        await clock.advance(timedelta(seconds=50))
        begun, ran = store.begins, len(calls)
        store.is_deaf = False
        await clock.advance(timedelta(seconds=20))

    assert (begun, ran) == (0, 0)
    assert calls == ["x"]


class Once:
    """Fails the next call of the verbs that it is given, once each."""

    def __init__(self) -> None:
        self.verbs = set[str]()

    def next(self, verb: str, /) -> Fault | None:
        if verb not in self.verbs:
            return None
        self.verbs.remove(verb)
        return Fault.FAILS_BEFORE

    def delay_us(self) -> int:
        return 0


async def test_a_cancelled_run_ends_although_the_store_fails_in_between(
    clock: ManualClock,
) -> None:
    store, once = MemoryAdapter(), Once()
    async with (
        Scheduler(store, clock=clock, runs_handlers=False) as other,
        Scheduler(with_faults(store, once, clock=clock), clock=clock) as scheduler,
    ):

        async def broken(run: RunContext) -> NoReturn:
            await other.cancel_run(run.id, reason="enough")
            once.verbs = {"read_runs"}
            raise ValueError

        retry = Retry(attempts=5, delay=SECOND)
        await scheduler.schedule(broken, OneTime(clock.moment), id="b", retry=retry)
        await clock.advance(MINUTE)

        (run,) = await scheduler.runs("b")
        health = await scheduler.health()
    assert once.verbs == set()
    assert (run.outcome, run.reason) == ("cancelled", "enough")
    assert health.running == 0


async def test_a_job_is_paused_after_failures_although_the_store_fails_in_between(
    clock: ManualClock, calls: list[str]
) -> None:
    once = Once()
    adapter = with_faults(MemoryAdapter(), once, clock=clock)
    async with Scheduler(adapter, clock=clock) as scheduler:

        async def broken() -> NoReturn:
            calls.append("x")
            once.verbs = {"read_stats"}
            raise ValueError

        await scheduler.schedule(
            broken, Interval(seconds=10), id="b", pause_after_failures=1
        )
        await clock.advance(MINUTE)

    assert calls == ["x"]


class Unanswered:
    """Makes the steps of one verb, and answers none of them for a while."""

    def __init__(self) -> None:
        self.verb = ""

    def next(self, verb: str, /) -> Fault | None:
        return Fault.FAILS_AFTER if verb == self.verb else None

    def delay_us(self) -> int:
        return 0


@pytest.mark.parametrize("verb", ["commit_plans", "begin", "read_jobs"])
async def test_a_claim_whose_answer_was_lost_is_neither_lost_nor_late(
    clock: ManualClock, calls: list[str], verb: str
) -> None:
    async def work(run: RunContext) -> None:
        calls.append(run.id)

    faults = Unanswered()
    adapter = with_faults(MemoryAdapter(), faults, clock=clock)
    async with Scheduler(adapter, clock=clock) as scheduler:
        await scheduler.schedule(
            work,
            OneTime(in_=10 * SECOND),
            id="w",
            overlap="allow_all",
            on_lost="fail",
        )
        await clock.advance(9 * SECOND)
        asked = await scheduler.run_now("w") if verb != "commit_plans" else None
        faults.verb = verb
        await clock.advance(2 * SECOND)
        faults.verb = ""
        await clock.advance(10 * SECOND)

        runs = await scheduler.runs("w")
    assert {run.outcome for run in runs} == {"succeeded"}
    assert sorted(calls) == sorted(run.id for run in runs)
    assert len(calls) == (1 if asked is None else 2)
