"""A row that was damaged at random costs nobody else anything, and ends no loop."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from nvent_sched import Interval, RunContext, Scheduler
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.errors import UnknownJobError
from nvent_sched.testing import ManualClock
from nvent_sched.testing.conformance.builders import (
    an_ask,
    an_event,
    an_instance,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND: Final = timedelta(seconds=1)
START: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)

# Which rows are damaged: not those that the other jobs live by.
ROWS: Final = {
    "jobs": "id = 'bad'",
    "runs": "job_id = 'bad'",
    "stats": "job = (SELECT seq FROM jobs WHERE id = 'bad')",
    "histogram": "job = (SELECT seq FROM jobs WHERE id = 'bad')",
    "instances": "id = 'gone'",
    "events": "job_id = 'bad'",
    "locks": "name = 'bad'",
    "lock_queue": "name = 'bad'",
}
COLUMNS: Final = {
    "jobs": (
        "definition name handler version status note anchor considered_until next_time "
        "look_at looks_on_finish planned created_at updated_at quarantine"
    ),
    "runs": (
        "handler payload origin scheduled_time due_time ready_at state attempt crashes "
        "fence instance lease_until started_at finished_at outcome reason error result "
        "log progress progress_note cancel_reason attempts count until_time keep_until "
        "request"
    ),
    "stats": (
        "succeeded failed timed_out missed retries success_streak failure_streak "
        "last_outcome last_started_at last_finished_at last_success_at last_error"
    ),
    "histogram": "kind bucket count",
    "instances": "host pid release started_at heartbeat_at handlers slots running",
    "events": "at kind instance run_id detail",
    "locks": "fence ticket holder since until ttl",
    "lock_queue": "ticket until",
}
values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=5),
    st.sampled_from(
        [0, 1, -1, 2**62, "", "{", "[]", "{}", "null", "5", "[1]", "[[1]]", '{"v":1}']
    ),
    st.sampled_from(["claimed", "ready", "waiting", "finished", "paused", "succeeded"]),
    st.sampled_from(["cancelled", "missed", "schedule", "work", "gone", '["work"]']),
)
damages: st.SearchStrategy[tuple[str, str, Any]] = st.sampled_from(
    [(table, name) for table, names in COLUMNS.items() for name in names.split()]
).flatmap(lambda place: values.map(lambda value: (*place, value)))


async def fill(adapter: SqliteAdapter, clock: ManualClock) -> None:
    """Store what is not there by itself: the dead, locks, something they told."""
    gone, now = an_instance("gone"), clock.now()
    await adapter.renew(replace(gone, started_at=now), [], lease_us=1, now=now)
    asks = [an_ask("a", name="bad"), an_ask("b", name="bad", place_us=10**9)]
    await adapter.acquire_locks(asks, now=now)
    await adapter.publish([replace(an_event(), job_id="bad")])


async def damage(adapter: SqliteAdapter, table: str, name: str, value: object) -> None:
    """Overwrite a column of every row that may be damaged."""
    statement = f"UPDATE {table} SET {name} = ? WHERE {ROWS[table]}"  # noqa: S608  ours

    def step(connection: sqlite3.Connection) -> None:
        try:
            connection.execute(statement, [value])
        except sqlite3.IntegrityError:  # of another type, or NULL where there is none
            return

    await adapter._write(step)


async def read_all(scheduler: Scheduler) -> None:
    """Ask for all there is."""
    await scheduler.jobs()
    await scheduler.runs(limit=1_000)
    await scheduler.stats()
    with suppress(UnknownJobError):
        await scheduler.stats("bad")
    await scheduler.instances()
    await scheduler.health()
    await scheduler.snapshot()


@settings(max_examples=max(10, settings().max_examples // 4))
@given(found=st.lists(damages, min_size=1, max_size=3))
async def test_a_damaged_row_costs_no_other_job_anything(
    found: Sequence[tuple[str, str, Any]],
) -> None:
    clock, adapter = ManualClock(START), SqliteAdapter(":memory:")
    began: list[str] = []

    async def work(run: RunContext) -> None:
        began.append(run.job_id)
        if run.job_id == "bad":
            await clock.sleep(1.5 * SECOND)

    async with Scheduler(
        adapter,
        clock=clock,
        heartbeat=SECOND,
        dead_after=3 * SECOND,
        lease=5 * SECOND,
    ) as scheduler:
        scheduler.handler("work")(work)
        for name in ("bad", "good"):
            await scheduler.schedule(
                "work", Interval(seconds=1), id=name, overlap="buffer_one"
            )
        await fill(adapter, clock)
        await clock.advance(2.2 * SECOND)
        before = began.count("good")
        for each in found:
            await damage(adapter, *each)

        await clock.advance(2 * SECOND)
        await read_all(scheduler)
        await clock.advance(8 * SECOND)
        await read_all(scheduler)

    assert began.count("good") - before == 10
