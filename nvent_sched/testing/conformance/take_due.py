"""`take_due`: which jobs must be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.claims import STALE, Committed
from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.runs import RunState
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    NOON,
    a_job,
    a_plan,
    a_run,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    insert,
    put,
    take_due_ids,
)

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestTakeDue:
    """Hand out jobs whose `look_at` has come and whose handler is one of these."""

    async def test_a_job_is_due_at_its_look_and_not_a_microsecond_before(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job(look_at=NOON))

        assert await take_due_ids(adapter, now=Instant(NOON - 1)) == []
        assert await take_due_ids(adapter, now=NOON) == ["job"]

    async def test_a_job_is_handed_out_as_it_is_stored(self, adapter: Adapter) -> None:
        job = a_job(look_at=NOON, tags=("x",))
        await put(adapter, job)

        batch = await adapter.take_due(now=at(1), handlers=[HANDLER], limit=10)

        assert batch.now == at(1)
        assert [due.job for due in batch.jobs] == [job]
        assert not batch.quarantined

    async def test_the_most_overdue_comes_first_then_the_id_decides(
        self, adapter: Adapter
    ) -> None:
        looks = {"c": -2, "b": -1, "a": -1, "d": -3}
        jobs = [a_job(name, look_at=at(look)) for name, look in looks.items()]
        await put(adapter, *jobs)

        assert await take_due_ids(adapter) == ["d", "c", "a", "b"]

    async def test_a_job_nothing_looks_at_is_not_handed_out(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job(look_at=None))

        batch = await adapter.take_due(now=at(9), handlers=[HANDLER], limit=10)

        assert batch.jobs == ()
        assert batch.next_look_at is None

    async def test_a_paused_or_finished_job_is_handed_out_if_it_has_a_look(
        self, adapter: Adapter
    ) -> None:
        jobs = [a_job(each.value, status=each, look_at=NOON) for each in JobStatus]
        await put(adapter, *jobs)

        assert await take_due_ids(adapter) == ["active", "finished", "paused"]

    async def test_a_job_of_another_handler_is_left_to_others(
        self, adapter: Adapter
    ) -> None:
        names = ("other", "work", "third")
        await put(adapter, *(a_job(name, handler=name, look_at=NOON) for name in names))

        batch = await adapter.take_due(now=NOON, handlers=["work", "third"], limit=9)

        assert [due.job.id for due in batch.jobs] == ["third", "work"]
        assert batch.next_look_at is None

    async def test_without_handlers_nothing_is_due(self, adapter: Adapter) -> None:
        await put(adapter, a_job(look_at=NOON))
        await insert(adapter, a_run())

        batch = await adapter.take_due(now=NOON, handlers=[], limit=9)

        assert (batch.jobs, batch.next_look_at, batch.next_ready_at) == ((), None, None)

    async def test_no_more_are_handed_out_than_asked_for(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, *(a_job(name, look_at=at(-9)) for name in "abc"))

        batch = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=2)

        assert [due.job.id for due in batch.jobs] == ["a", "b"]
        assert batch.next_look_at == at(-9)

    async def test_the_next_look_is_that_of_the_first_job_not_handed_out(
        self, adapter: Adapter
    ) -> None:
        await put(
            adapter,
            a_job("due", look_at=NOON),
            a_job("later", look_at=at(7, us=1)),
            a_job("latest", look_at=at(8)),
            a_job("not ours", look_at=at(1), handler="other"),
        )

        batch = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)

        assert batch.next_look_at == at(7, us=1)

    async def test_the_next_ready_run_of_these_handlers_is_told(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(
            adapter,
            a_run("a", ready_at=at(7, us=1)),
            a_run("b", ready_at=at(8)),
            a_run("c", ready_at=at(1), handler="other"),
            a_run("d", ready_at=at(1), state=RunState.WAITING),
            a_run("e", ready_at=at(1), state=RunState.CLAIMED),
        )

        batch = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)

        assert batch.next_ready_at == at(7, us=1)

    async def test_a_job_may_be_handed_to_two_planners_and_one_gets_through(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job(look_at=NOON))
        one = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)
        two = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)
        plans = [
            a_plan(the_next(due.job), a_run(name, state=RunState.CLAIMED))
            for name, batch in (("one", one), ("two", two))
            for due in batch.jobs
        ]

        verdicts = [await adapter.commit_plans([plan], now=NOON) for plan in plans]

        assert isinstance(verdicts[0][0], Committed)
        assert verdicts[1] == (STALE,)

    async def test_each_of_many_jobs_is_handed_out_once_it_is_due(
        self, adapter: Adapter
    ) -> None:
        names = [f"{number:04}" for number in range(2_000)]
        jobs = [a_job(name, look_at=at(0, us=int(name))) for name in names]
        await put(adapter, *jobs)
        taken: list[str] = []

        for _ in range(4):
            batch = await adapter.take_due(
                now=at(0, us=1_499), handlers=[HANDLER], limit=400
            )
            taken += [due.job.id for due in batch.jobs]
            plans = [a_plan(the_next(due.job)) for due in batch.jobs]
            await adapter.commit_plans(plans, now=NOON)

        assert taken == names[:1_500]
