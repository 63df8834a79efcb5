"""A hundred thousand waits: they cost who has nothing to do with them nothing."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import anyio

from nvent_sched._model.instants import Instant, instant_from
from nvent_sched._rules.awaiting import new_wait
from nvent_sched.adapters.sqlite import SqliteAdapter
from tests.patterns.conftest import START, Stores, Told

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from nvent_sched._port import Adapter
    from nvent_sched.testing import ManualClock

MANY = 100_000
BATCH = 1_000
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


async def store_many(adapter: Adapter) -> None:
    now = instant_from(START)
    at = instant_from(START + DAY)
    for start in range(0, MANY, BATCH):
        writes = [
            new_wait(
                f"await:key{number}",
                at=Instant(at + number),
                stored_by="one",
                now=now,
                kept_us=0,
            )
            for number in range(start, start + BATCH)
        ]
        await adapter.put_jobs(writes, now=now)


async def calls_in_a_while(stores: Stores, adapter: Told) -> Counter[str]:
    async with stores.scheduler(adapter):
        await stores.clock.advance(MINUTE)
    return adapter.calls.copy()


async def test_waits_of_nobody_cost_an_idle_instance_not_one_call(
    clock: ManualClock, tmp_path: Path
) -> None:
    full, empty = (
        SqliteAdapter(tmp_path / f"{name}.db", synchronous="OFF")
        for name in ("full", "empty")
    )
    await full.open(now=instant_from(START))
    await store_many(full)
    await full.close()

    with_many = await calls_in_a_while(Stores(lambda: full, clock), Told(full))
    with_none = await calls_in_a_while(Stores(lambda: empty, clock), Told(empty))

    assert with_many == with_none


async def test_waits_of_this_instance_cost_it_one_look_a_hint_s_delay(
    clock: ManualClock, tmp_path: Path
) -> None:
    stores = Stores(lambda: SqliteAdapter(tmp_path / "jobs.db"), clock)
    adapter = stores.adapter()
    async with (
        stores.scheduler(adapter, runs_handlers=False) as scheduler,
        anyio.create_task_group() as tasks,
    ):
        for number in range(1_200):
            tasks.start_soon(partial(scheduler.sleep, f"key{number}", hours=1))
        await clock.run_until_idle()
        before = adapter.calls.copy()
        await clock.advance(MINUTE)
        after = adapter.calls.copy()
        tasks.cancel_scope.cancel()

    assert after - before == {"read_jobs": 120}
