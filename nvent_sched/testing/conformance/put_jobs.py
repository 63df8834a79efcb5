"""`put_jobs`: compare and set on a job's version."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from nvent_sched._model.claims import STALE, STORED
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._model.policies import OnLost, Overlap, Policies, Retry
from nvent_sched._model.queries import JobQuery
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_plan,
    a_run,
    a_tally,
    a_write,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    commit,
    put,
    read_job,
    read_run,
    read_stats,
    take_due_ids,
)

if TYPE_CHECKING:
    from nvent_sched._port import Adapter

POLICIES = Policies(
    overlap=Overlap.BUFFER_ALL,
    on_lost=OnLost.FAIL,
    retry=Retry(attempts=3, delay=timedelta(microseconds=7), on=(ValueError,)),
    timeout_us=1_234_567,
    starts_at=at(-1, us=1),
)


class TestPutJobs:
    """Write each job whose stored version is the one that was seen."""

    async def test_what_is_written_is_read_back_to_the_microsecond(
        self, adapter: Adapter
    ) -> None:
        plain = a_job("ключ/日本 '%_", policies=POLICIES, tags=("b", "a"))
        definition = replace(
            plain.definition, payload='{"args":["é\\n"]}', metadata='{"a":1}'
        )
        job = Job(
            definition=replace(definition, declared=True),
            version=1,
            status=JobStatus.PAUSED,
            note="for a reason",
            anchor=at(0, us=1),
            considered_until=at(1, us=2),
            next_time=at(1, us=3),
            look_at=at(3, us=4),
            looks_on_finish=True,
            planned=7,
            created_at=at(4, us=5),
            updated_at=at(5, us=6),
        )

        await put(adapter, job)

        assert await read_job(adapter, job.id) == job

    async def test_a_new_job_is_stored(self, adapter: Adapter) -> None:
        verdicts = await adapter.put_jobs([a_write(a_job())], now=NOON)

        assert verdicts == (STORED,)
        assert await read_job(adapter) == a_job()

    async def test_a_stale_version_writes_nothing(self, adapter: Adapter) -> None:
        second = the_next(a_job())
        await put(adapter, a_job(), second)
        late = replace(a_job(version=2), note="late")

        verdicts = await adapter.put_jobs([a_write(late)], now=NOON)

        assert verdicts == (STALE,)
        assert await read_job(adapter) == second

    async def test_a_job_that_exists_is_not_created_again(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        other = replace(a_job(), note="other")

        verdicts = await adapter.put_jobs([a_write(other)], now=NOON)

        assert verdicts == (STALE,)
        assert await read_job(adapter) == a_job()

    async def test_a_job_that_was_dropped_is_not_written_over(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await adapter.drop_jobs(["job"], now=NOON)

        verdicts = await adapter.put_jobs([a_write(the_next(a_job()))], now=NOON)

        assert verdicts == (STALE,)
        assert (await adapter.read_jobs(JobQuery())).items == ()

    async def test_a_write_repeated_after_its_answer_was_lost_is_stale(
        self, adapter: Adapter
    ) -> None:
        writes = [a_write(a_job())]
        await adapter.put_jobs(writes, now=NOON)

        assert await adapter.put_jobs(writes, now=NOON) == (STALE,)

    async def test_each_write_of_a_batch_has_its_own_verdict(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job("b"))
        writes = [a_write(a_job(job_id)) for job_id in ("a", "b", "c")]

        verdicts = await adapter.put_jobs(writes, now=NOON)

        assert verdicts == (STORED, STALE, STORED)

    async def test_the_second_write_of_a_batch_sees_the_first(
        self, adapter: Adapter
    ) -> None:
        second = the_next(a_job(), look_at=at(9))

        verdicts = await adapter.put_jobs([a_write(a_job()), a_write(second)], now=NOON)

        assert verdicts == (STORED, STORED)
        assert await read_job(adapter) == second

    async def test_a_new_definition_keeps_statistics_and_runs(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await commit(adapter, a_plan(the_next(a_job()), a_run(), tallies=(a_tally(),)))
        stored = await read_job(adapter)
        renamed = replace(stored.definition, name="renamed")

        await put(adapter, replace(the_next(stored), definition=renamed))

        assert (await read_run(adapter)).job_id == "job"
        assert (await read_stats(adapter)).runs == 1
        assert (await read_job(adapter)).definition == renamed

    async def test_a_job_is_looked_at_when_its_last_write_says(
        self, adapter: Adapter
    ) -> None:
        first = a_job(look_at=at(1))
        await put(adapter, first, the_next(first, look_at=at(5)))

        assert await take_due_ids(adapter, now=at(4)) == []
        assert await take_due_ids(adapter, now=at(5)) == ["job"]

    async def test_a_job_that_changes_its_handler_is_due_for_the_new_one(
        self, adapter: Adapter
    ) -> None:
        first = a_job(look_at=NOON)
        moved = a_job(handler="other", look_at=NOON, version=2)
        await put(adapter, first, moved)

        assert await take_due_ids(adapter) == []
        assert await take_due_ids(adapter, handlers=("other",)) == ["job"]

    async def test_an_empty_batch_is_answered_with_nothing(
        self, adapter: Adapter
    ) -> None:
        assert await adapter.put_jobs([], now=NOON) == ()
