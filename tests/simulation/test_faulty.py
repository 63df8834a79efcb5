"""A store that fails on purpose fails as it was told to, and only then."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from nvent_sched import Interval, Outcome, Scheduler
from nvent_sched._model.claims import STALE, STORED
from nvent_sched._model.queries import JobQuery
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.errors import StoreUnavailableError
from nvent_sched.testing import ManualClock
from nvent_sched.testing.conformance.builders import NOON, a_job, a_write
from nvent_sched.testing.faulty import (
    TIMEOUT_US,
    VERBS,
    Drawn,
    Fault,
    Scripted,
    lose_writes,
    remember,
    with_faults,
)

if TYPE_CHECKING:
    from nvent_sched._port import Adapter

JOB = a_write(a_job())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def faulty(fault: Fault, clock: ManualClock) -> tuple[MemoryAdapter, Adapter]:
    store = MemoryAdapter()
    script = Scripted({("put_jobs", 1): fault}, delay_us=1_000_000)
    return store, with_faults(store, script, clock=clock)


async def stored(store: Adapter) -> int:
    return len(await store.read_jobs(JobQuery()))


def test_every_verb_of_the_port_can_fail() -> None:
    assert {"open", "put_jobs", "commit_plans", "settle", "renew_locks"} <= set(VERBS)
    assert not {"on_hint", "traits", "url"} & set(VERBS)


@pytest.mark.parametrize(
    ("fault", "is_stored"), [(Fault.FAILS_BEFORE, 0), (Fault.FAILS_AFTER, 1)]
)
async def test_a_verb_fails_before_or_after_its_step(
    clock: ManualClock, fault: Fault, is_stored: int
) -> None:
    store, adapter = faulty(fault, clock)

    with pytest.raises(StoreUnavailableError, match="put_jobs"):
        await adapter.put_jobs([JOB], now=NOON)

    assert await stored(store) == is_stored
    assert await stored(adapter) == is_stored


async def test_a_lost_reply_is_a_time_out_after_the_step_was_made(
    clock: ManualClock,
) -> None:
    store, adapter = faulty(Fault.REPLY_LOST, clock)
    began_us = clock.monotonic_us()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.advance, timedelta(seconds=10))
        with pytest.raises(StoreUnavailableError, match="in time"):
            await adapter.put_jobs([JOB], now=NOON)
        waited_us = clock.monotonic_us() - began_us

    assert waited_us == TIMEOUT_US
    assert await stored(store) == 1


async def test_a_delayed_verb_makes_its_step_later(clock: ManualClock) -> None:
    store, adapter = faulty(Fault.DELAYED, clock)
    verdicts = list[Any]()

    async def put() -> None:
        verdicts.extend(await adapter.put_jobs([JOB], now=NOON))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(put)
        await clock.advance(timedelta(milliseconds=999))
        assert await stored(store) == 0
        await clock.advance(timedelta(milliseconds=1))

    assert await stored(store) == 1
    assert verdicts == [STORED]


async def test_a_duplicated_verb_answers_what_its_repetition_answers(
    clock: ManualClock,
) -> None:
    store, adapter = faulty(Fault.DUPLICATED, clock)

    assert await adapter.put_jobs([JOB], now=NOON) == (STALE,)
    assert await stored(store) == 1


def test_faults_that_are_drawn_are_the_same_for_a_seed() -> None:
    def drawn(seed: int) -> list[Fault | None]:
        faults = Drawn(Random(seed), share=300)
        return [faults.next("settle") for _ in range(200)]

    assert drawn(7) == drawn(7) != drawn(8)
    assert set(drawn(7)) == {None, *Fault}
    assert 90 < Counter(drawn(7))[None] < 180


def test_no_share_of_faults_is_no_fault() -> None:
    faults = Drawn(Random(1), share=0)

    assert {faults.next("settle") for _ in range(1_000)} == {None}


async def test_a_failover_loses_the_last_writes_and_no_token_comes_back() -> None:
    store = MemoryAdapter()
    await store.put_jobs([JOB], now=NOON)
    before = remember(store)
    fence = store._tables.next_fence()
    await store.put_jobs([a_write(a_job("other"))], now=NOON)

    lose_writes(store, since=before)

    assert [job.id for job in await store.read_jobs(JobQuery())] == ["job"]
    assert store._tables.next_fence() > fence


async def test_a_scheduler_over_a_faulty_store_runs_each_occurrence_once(
    clock: ManualClock,
) -> None:
    calls = list[str]()

    async def work() -> None:
        calls.append("x")

    clock.patience = 0.005  # a call on its way is not waited for
    faults = Drawn(Random(5), share=0)
    adapter = with_faults(MemoryAdapter(), faults, clock=clock)
    async with Scheduler(adapter, clock=clock) as scheduler:
        await scheduler.schedule(work, Interval(minutes=1), id="work", misfire="all")
        faults.share = 100
        await clock.advance(timedelta(minutes=20))
        faults.share = 0
        await clock.advance(timedelta(minutes=20))

        stats = await scheduler.stats("work")
    assert sum(stats.counts.values()) == 40
    assert stats.counts[Outcome.SUCCEEDED] <= len(calls)
