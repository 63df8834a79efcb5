"""How much work a verb is: counted in SQLite's own steps, not in time."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from anyio import create_task_group, wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

from nvent_sched._model.claims import Pool
from nvent_sched._model.instants import Instant
from nvent_sched._model.queries import JobQuery
from nvent_sched._model.runs import RunState
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.adapters.sqlite.overview import OLDEST, UNRESOLVED
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    NOON,
    a_job,
    a_plan,
    a_run,
    an_end,
    an_event,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    beat,
    claim,
    commit,
    insert,
    put,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Steps: TypeAlias = Callable[[Callable[[], Awaitable[object]]], Awaitable[int]]

FEW, MANY = 20, 2_000
SLACK = 1.6  # the trees of MANY are a little deeper


@pytest.fixture
def steps(adapter: SqliteAdapter) -> Steps:
    """Count SQLite's steps while a verb is done."""

    async def count(verb: Callable[[], Awaitable[object]]) -> int:
        done: list[None] = []

        def note() -> None:
            done.append(None)

        await adapter._read(lambda it: it.set_progress_handler(note, 10))
        await verb()
        await adapter._read(lambda it: it.set_progress_handler(None, 0))
        return len(done)

    return count


async def a_fire(adapter: SqliteAdapter, *, now: Instant) -> None:
    """Let one job fire, from what is due to what is told."""
    batch = await adapter.take_due(now=now, handlers=[HANDLER], limit=1)
    (due,) = batch.jobs
    later = the_next(due.job, look_at=Instant(now + 60_000_000))
    name = f"{due.job.id} {due.job.version}"
    run = a_run(name, job_id=due.job.id, state=RunState.CLAIMED)
    (fence,) = await commit(adapter, a_plan(later, run))
    claimed = replace(run, fence=fence)
    await settle(adapter, an_end(claimed, keep_until=at(9_999)))
    await adapter.publish([an_event()])


async def test_a_fire_costs_the_same_however_many_jobs_are_stored(
    adapter: SqliteAdapter, steps: Steps
) -> None:
    fire = partial(a_fire, adapter, now=NOON)
    await put(adapter, *(a_job(f"{n:05}", look_at=NOON) for n in range(FEW)))
    await fire()
    few = await steps(fire)
    await put(adapter, *(a_job(f"{n:05}", look_at=NOON) for n in range(FEW, MANY)))
    await put(
        adapter, *(a_job(f"{n:05}", look_at=at(99)) for n in range(MANY, 2 * MANY))
    )

    many = await steps(fire)

    assert many <= few * SLACK


async def test_what_is_due_for_others_costs_nothing(
    adapter: SqliteAdapter, steps: Steps
) -> None:
    look = partial(adapter.take_due, now=NOON, handlers=[HANDLER, "idle"], limit=FEW)
    await put(adapter, *(a_job(f"{n}", look_at=NOON) for n in range(FEW)))
    few = await steps(look)
    others = (a_job(f"x{n}", handler="other", look_at=at(-9)) for n in range(MANY))
    await put(adapter, *others)

    many = await steps(look)

    assert many <= few * SLACK


async def test_what_is_due_later_costs_a_look_nothing(
    adapter: SqliteAdapter, steps: Steps
) -> None:
    look = partial(adapter.take_due, now=NOON, handlers=[HANDLER], limit=MANY)
    await put(adapter, a_job("due", look_at=NOON), a_job("later", look_at=at(9)))
    few = await steps(look)
    await put(adapter, *(a_job(f"{n}", look_at=at(9)) for n in range(MANY)))

    many = await steps(look)

    assert many <= few * SLACK


async def test_what_is_ready_later_costs_a_claim_nothing(
    adapter: SqliteAdapter, steps: Steps
) -> None:
    await put(adapter, a_job())

    await insert(adapter, a_run("one"), a_run("later", ready_at=at(9)))
    few = await steps(partial(claim, adapter, request_id="one", limit=MANY))
    later = (a_run(f"{n}", ready_at=at(9)) for n in range(MANY))
    await insert(adapter, a_run("two"), *later)

    many = await steps(partial(claim, adapter, request_id="two", limit=MANY))

    assert many <= few * SLACK


async def test_what_is_ready_for_others_costs_nothing(
    adapter: SqliteAdapter, steps: Steps
) -> None:
    await put(adapter, a_job())
    begin = partial(
        adapter.begin,
        request_id="request",
        instance="one",
        pools=[Pool(handlers=("idle",), limit=FEW)],
        until=NOON,
        lease_us=1,
        now=NOON,
    )
    few = await steps(begin)
    await insert(adapter, *(a_run(f"{n}", ready_at=at(-9)) for n in range(MANY)))

    many = await steps(begin)

    assert many <= few * SLACK


async def test_history_costs_a_fire_nothing(
    adapter: SqliteAdapter, steps: Steps
) -> None:
    fire = partial(a_fire, adapter, now=NOON)
    await put(adapter, *(a_job(f"{n:05}", look_at=NOON) for n in range(9)))
    await fire()
    few = await steps(fire)
    (due,) = await adapter.read_facts(["00005"])
    records = (
        a_run(f"old {n}", job_id="00005", state=RunState.FINISHED, scheduled=at(-n))
        for n in range(MANY)
    )
    await commit(adapter, a_plan(the_next(due.job, look_at=at(-1)), *records))

    many = await steps(fire)

    assert many <= few * SLACK


@pytest.mark.parametrize("question", [OLDEST, UNRESOLVED])
async def test_how_the_store_is_costs_the_same_however_many_jobs_wait(
    adapter: SqliteAdapter, steps: Steps, question: str
) -> None:
    async def ask() -> None:
        given = {"now": NOON} if ":now" in question else {}
        await adapter._read(lambda it: it.execute(question, given).fetchall())

    await put(adapter, *(a_job(f"few-{n}", look_at=at(99)) for n in range(FEW)))
    with_few = await steps(ask)
    await put(adapter, *(a_job(f"many-{n}", look_at=at(99)) for n in range(MANY)))
    with_many = await steps(ask)

    assert with_many <= with_few * SLACK + 1


async def test_no_hot_statement_reads_a_whole_table_or_sorts(
    adapter: SqliteAdapter, path: Path
) -> None:
    said: list[str] = []
    await put(adapter, a_job("z"))
    await insert(adapter, *(a_run(name, job_id="z") for name in "xy"))
    await adapter._read(lambda it: it.set_trace_callback(said.append))
    await put(adapter, *(a_job(name, look_at=NOON) for name in "abc"))
    await put(adapter, the_next(a_job("c"), look_at=NOON))
    await a_fire(adapter, now=NOON)
    (first, _) = await claim(adapter)
    await beat(adapter)
    await settle(adapter, an_end(first))
    await adapter.read_facts(["a", "b"])
    await adapter.read_events(after=0, limit=9)
    await adapter._read(lambda it: it.set_trace_callback(None))

    with closing(sqlite3.connect(path)) as connection:
        for statement in said:
            if statement.split()[0] not in {"SELECT", "UPDATE", "INSERT", "DELETE"}:
                continue
            plan = [
                row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            ]
            if "WHERE request =" in statement:
                continue  # no more than one claim, which is put in order
            for line in plan:
                assert not is_slow(line), (line, statement)


async def test_a_look_at_the_whole_reads_indexes_only(
    adapter: SqliteAdapter, path: Path
) -> None:
    said: list[str] = []
    await put(adapter, a_job("a", look_at=NOON), a_job("await:a", look_at=NOON))
    await adapter._read(lambda it: it.set_trace_callback(said.append))
    await adapter.summary(now=NOON, is_deep=False)
    await adapter._read(lambda it: it.set_trace_callback(None))

    with closing(sqlite3.connect(path)) as connection:
        for statement in said:
            plan = [
                row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            ]
            for line in plan:
                if " jobs" in line and "SCAN" in line:
                    assert "INDEX" in line, statement


def is_slow(line: str) -> bool:
    """Whether a line of a query plan reads a whole table, or sorts it."""
    if line.startswith("SCAN"):
        return line.split()[1] in {"jobs", "runs", "stats", "histogram"}
    return "TEMP B-TREE" in line or "AUTOMATIC" in line


async def test_what_waits_together_is_committed_together(
    adapter: SqliteAdapter,
) -> None:
    said: list[str] = []
    await adapter._read(lambda it: it.set_trace_callback(said.append))

    async with create_task_group() as callers:
        for number in range(FEW):
            callers.start_soon(put, adapter, a_job(f"{number}"))

    await adapter._read(lambda it: it.set_trace_callback(None))
    begun = said.count("BEGIN IMMEDIATE")
    assert said.count("COMMIT") >= begun
    assert begun <= 2, "the first may have gone alone, the others go together"
    assert len(await adapter.read_jobs(JobQuery())) == FEW


async def test_readers_take_no_lock(adapter: SqliteAdapter) -> None:
    said: list[str] = []
    await adapter._read(lambda it: it.set_trace_callback(said.append))

    await adapter.read_jobs(JobQuery())
    await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)

    assert "BEGIN IMMEDIATE" not in said


async def test_who_reads_does_not_wait_for_the_transaction_of_another_process(
    adapter: SqliteAdapter, path: Path
) -> None:
    await put(adapter, a_job("there"))
    gate, answered = threading.Event(), list[str]()

    async def read() -> None:
        page = await adapter.read_jobs(JobQuery())
        answered.append(f"read {len(page)}")

    async def write() -> None:
        await put(adapter, a_job("new"))
        answered.append("wrote")

    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        async with create_task_group() as callers:
            callers.start_soon(adapter._read, lambda _: gate.wait())
            await wait_all_tasks_blocked()
            callers.start_soon(write)
            callers.start_soon(read)
            await wait_all_tasks_blocked()
            gate.set()
            while not answered:
                await checkpoint()
            another.execute("ROLLBACK")

    assert answered == ["read 1", "wrote"]


async def test_a_call_that_fails_takes_no_other_with_it(
    adapter: SqliteAdapter,
) -> None:
    await put(adapter, a_job("there"))
    no_name: Any = object()
    broken = a_plan(the_next(a_job("there")), promote=(no_name,))
    failed: list[BaseException] = []

    async def fail() -> None:
        try:
            await adapter.commit_plans([broken], now=NOON)
        except Exception as error:  # noqa: BLE001  whatever the driver says of it
            failed.append(error)

    async with create_task_group() as callers:
        callers.start_soon(put, adapter, a_job("before"))
        callers.start_soon(fail)
        callers.start_soon(put, adapter, a_job("after"))

    assert len(failed) == 1
    jobs = {job.id: job.version for job in await adapter.read_jobs(JobQuery())}
    assert jobs == {"after": 1, "before": 1, "there": 1}


async def test_only_what_is_told_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    said: list[str] = []
    adapter = SqliteAdapter(tmp_path / "jobs.db", synchronous="FULL")
    await adapter.open(now=NOON)
    await adapter._read(lambda it: it.set_trace_callback(said.append))

    await adapter.publish([an_event("one")])
    await put(adapter, a_job("one"))

    levels = ("PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL")
    marks = ("INSERT INTO events", "INSERT INTO jobs")
    order = [
        mark
        for step in said
        for mark in (*levels, *marks)
        if step.strip().startswith(mark)
    ]
    assert order == [levels[0], marks[0], levels[1], marks[1]]
    await adapter.close()
