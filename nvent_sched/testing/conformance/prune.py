"""`prune`: history is bounded by age and by count; what is live is never forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvent_sched._model.instants import Instant
from nvent_sched._model.runs import RunState
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_plan,
    a_run,
    a_tally,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    commit,
    insert,
    put,
    read_job,
    read_stats,
    run_ids,
)

if TYPE_CHECKING:
    from nvent_sched._model.runs import Run
    from nvent_sched._port import Adapter


def a_record(name: str, *, second: int = 0, keep_until: Instant | None = None) -> Run:
    """Make a finished run."""
    moment = at(second)
    return a_run(
        name,
        state=RunState.FINISHED,
        scheduled=moment,
        finished_at=moment,
        keep_until=at(9_999) if keep_until is None else keep_until,
    )


class TestPruneByAge:
    """Forget FINISHED runs past their `keep_until`, at most *limit* of them."""

    async def test_a_record_is_forgotten_once_its_time_has_come(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_record("old", keep_until=at(10)), a_record("new"))

        before = await adapter.prune(
            job_ids=[], runs_max=1, limit=9, now=Instant(at(10) - 1)
        )
        after = await adapter.prune(job_ids=[], runs_max=1, limit=9, now=at(10))

        assert (before, after) == (0, 1)
        assert await run_ids(adapter) == ["new"]

    async def test_what_a_plan_has_cancelled_is_forgotten_as_well(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("old"), a_run("waiting", state=RunState.WAITING))
        wishes = dict.fromkeys(("old", "waiting"), "newer")
        plan = a_plan(the_next(await read_job(adapter)), cancel=wishes)
        await commit(adapter, replace(plan, cancelled_until=at(10)))

        early = Instant(at(10) - 1)
        before = await adapter.prune(job_ids=[], runs_max=9, limit=9, now=early)
        after = await adapter.prune(job_ids=[], runs_max=9, limit=9, now=at(10))

        assert (before, after) == (0, 2)

    async def test_records_of_all_jobs_are_forgotten(self, adapter: Adapter) -> None:
        await put(adapter, a_job("a"), a_job("b"))
        for name in "ab":
            record = a_run(
                f"{name}1", job_id=name, state=RunState.FINISHED, keep_until=NOON
            )
            await insert(adapter, record)

        assert await adapter.prune(job_ids=[], runs_max=9, limit=9, now=NOON) == 2

    async def test_no_more_are_forgotten_than_asked_for_the_oldest_first(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        ages = {"c": 1, "a": 2, "b": 2}
        records = (a_record(name, keep_until=at(age)) for name, age in ages.items())
        await insert(adapter, *records)

        forgotten = await adapter.prune(job_ids=[], runs_max=9, limit=2, now=at(9))

        assert forgotten == 2
        assert await run_ids(adapter) == ["b"]

    async def test_live_runs_are_never_forgotten(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        states = (RunState.WAITING, RunState.READY, RunState.CLAIMED)
        await insert(adapter, *(a_run(each.value, state=each) for each in states))

        forgotten = await adapter.prune(
            job_ids=["job"], runs_max=1, limit=9, now=at(99_999)
        )

        assert forgotten == 0
        assert await run_ids(adapter) == ["claimed", "ready", "waiting"]

    async def test_a_record_without_an_end_of_keeping_is_kept(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run(state=RunState.FINISHED, keep_until=None))

        assert await adapter.prune(job_ids=[], runs_max=9, limit=9, now=at(9)) == 0

    async def test_the_counters_outlive_the_records(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        record = a_record("run", keep_until=NOON)
        await commit(adapter, a_plan(the_next(a_job()), record, tallies=(a_tally(),)))

        await adapter.prune(job_ids=["job"], runs_max=1, limit=9, now=NOON)

        assert await run_ids(adapter) == []
        assert (await read_stats(adapter)).runs == 1


class TestPruneByCount:
    """Of each job named also the oldest beyond *runs_max*."""

    async def test_the_oldest_beyond_the_number_are_forgotten(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        records = (a_record(name, second=ord(name)) for name in "dbca")
        await insert(adapter, *records)

        forgotten = await adapter.prune(job_ids=["job"], runs_max=2, limit=9, now=NOON)

        assert forgotten == 2
        assert await run_ids(adapter) == ["c", "d"]

    async def test_what_goes_by_its_age_is_not_counted(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        records = (a_record(name, second=n) for n, name in enumerate("abc"))
        aged = a_record("newest", second=9, keep_until=NOON)
        await insert(adapter, *records, aged)

        forgotten = await adapter.prune(job_ids=["job"], runs_max=2, limit=9, now=NOON)

        assert forgotten == 2
        assert await run_ids(adapter) == ["b", "c"]

    async def test_a_job_named_twice_is_counted_once(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_record(name, second=ord(name)) for name in "abcd"))

        forgotten = await adapter.prune(
            job_ids=["job", "job"], runs_max=2, limit=9, now=NOON
        )

        assert forgotten == 2
        assert await run_ids(adapter) == ["c", "d"]

    async def test_live_runs_do_not_count(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        live = (a_run("ready"), a_run("claimed", state=RunState.CLAIMED))
        await insert(adapter, a_record("old"), *live)

        forgotten = await adapter.prune(job_ids=["job"], runs_max=1, limit=9, now=NOON)

        assert forgotten == 0

    async def test_live_runs_that_are_older_keep_no_record(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        live = (
            a_run("ready", scheduled=at(-1)),
            a_run("claimed", state=RunState.CLAIMED, scheduled=at(2)),
        )
        records = (a_record(name, second=2 * n + 1) for n, name in enumerate("abc"))
        await insert(adapter, *records, *live)

        forgotten = await adapter.prune(job_ids=["job"], runs_max=1, limit=9, now=NOON)

        assert forgotten == 2
        assert await run_ids(adapter) == ["c", "claimed", "ready"]

    async def test_jobs_that_are_not_named_keep_theirs(self, adapter: Adapter) -> None:
        await put(adapter, a_job(), a_job("other"))
        await insert(adapter, a_record("a"), a_record("b", second=1))

        forgotten = await adapter.prune(
            job_ids=["other", "nobody"], runs_max=1, limit=9, now=NOON
        )

        assert forgotten == 0

    async def test_the_limit_holds_for_age_and_count_together(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        aged = (a_record(f"aged{n}", second=n, keep_until=NOON) for n in range(2))
        many = (a_record(f"many{n}", second=10 + n) for n in range(4))
        await insert(adapter, *aged, *many)

        first = await adapter.prune(job_ids=["job"], runs_max=1, limit=3, now=NOON)
        second = await adapter.prune(job_ids=["job"], runs_max=1, limit=3, now=NOON)

        assert (first, second) == (3, 2)
        assert await run_ids(adapter) == ["many3"]
