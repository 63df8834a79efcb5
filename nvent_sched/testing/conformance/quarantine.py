"""What becomes of a job whose stored bytes cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.claims import STALE, STORED
from nvent_sched._model.queries import JobQuery
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    NOON,
    a_job,
    a_run,
    a_write,
    at,
)
from nvent_sched.testing.conformance.steps import (
    claim,
    finish,
    insert,
    put,
    take_due_ids,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched._port import Adapter


class TestQuarantine:
    """A job that cannot be decoded is put out of the way, and its bytes are kept."""

    async def test_a_broken_job_is_told_once_and_not_looked_at_again(
        self,
        adapter: Adapter,
        corrupt_definition: Callable[[str], Awaitable[None]],
    ) -> None:
        await put(adapter, a_job("broken", look_at=NOON), a_job("fine", look_at=NOON))
        await corrupt_definition("broken")

        first = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)
        second = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)

        assert list(first.quarantined) == ["broken"]
        assert first.quarantined["broken"]
        assert [due.job.id for due in first.jobs] == ["fine"]
        assert not second.quarantined
        assert second.next_look_at is None

    async def test_a_broken_job_is_not_looked_at_when_a_run_of_it_ends(
        self,
        adapter: Adapter,
        corrupt_definition: Callable[[str], Awaitable[None]],
    ) -> None:
        await put(adapter, a_job("broken", look_at=NOON, looks_on_finish=True))
        await insert(adapter, a_run(job_id="broken"))
        (run,) = await claim(adapter)
        await corrupt_definition("broken")
        await take_due_ids(adapter)
        await put(adapter, a_job("fine", look_at=at(1)))

        await finish(adapter, run)

        batch = await adapter.take_due(now=at(1), handlers=[HANDLER], limit=1)
        assert [due.job.id for due in batch.jobs] == ["fine"]
        assert batch.next_look_at is None

    async def test_a_broken_job_is_listed_with_the_reason(
        self,
        adapter: Adapter,
        corrupt_definition: Callable[[str], Awaitable[None]],
    ) -> None:
        await put(adapter, a_job("broken", look_at=NOON))
        await corrupt_definition("broken")
        batch = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)

        summary = await adapter.summary(now=NOON, is_deep=False)

        assert summary.quarantined == dict(batch.quarantined)

    async def test_a_broken_job_stands_in_nobodys_way_of_reading(
        self,
        adapter: Adapter,
        corrupt_definition: Callable[[str], Awaitable[None]],
    ) -> None:
        await put(adapter, a_job("a"), a_job("broken"), a_job("c"))
        await corrupt_definition("broken")

        page = await adapter.read_jobs(JobQuery())
        facts = await adapter.read_facts(["a", "broken", "c"])

        assert [job.id for job in page.items] == ["a", "c"]
        assert [due.job.id for due in facts] == ["a", "c"]

    async def test_a_broken_job_is_not_written_over_by_a_new_one(
        self,
        adapter: Adapter,
        corrupt_definition: Callable[[str], Awaitable[None]],
    ) -> None:
        await put(adapter, a_job("broken", look_at=NOON))
        await corrupt_definition("broken")
        await take_due_ids(adapter)

        verdicts = await adapter.put_jobs([a_write(a_job("broken"))], now=NOON)

        assert verdicts == (STALE,)

    async def test_a_broken_job_can_be_dropped_and_stored_anew(
        self,
        adapter: Adapter,
        corrupt_definition: Callable[[str], Awaitable[None]],
    ) -> None:
        job = a_job("broken", look_at=NOON)
        await put(adapter, job)
        await corrupt_definition("broken")
        await take_due_ids(adapter)

        assert await adapter.drop_jobs(["broken"], now=NOON) == ("broken",)
        assert await adapter.put_jobs([a_write(job)], now=NOON) == (STORED,)

        assert await take_due_ids(adapter) == ["broken"]
        assert not (await adapter.summary(now=NOON, is_deep=True)).quarantined
