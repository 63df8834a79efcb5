"""`summary`: the store at a glance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import JobQuery
from nvent_sched._model.roles import WAITS, Role, is_wait
from nvent_sched._model.runs import Outcome, RunState
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_plan,
    a_release,
    a_run,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    beat,
    claim,
    commit,
    finish,
    insert,
    put,
    read_job,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched._port import Adapter


class TestSummary:
    """Numbers for a person, and what does not hold."""

    async def test_an_empty_store_is_well(self, adapter: Adapter) -> None:
        summary = await adapter.summary(now=NOON, is_deep=True)

        assert sum(summary.jobs.values()) == 0
        assert sum(summary.waits.values()) == 0
        assert sum(summary.live_runs.values()) == 0
        assert summary.finished_runs == 0
        assert summary.oldest_look_at is None
        assert summary.unresolved == {}
        assert summary.quarantined == {}
        assert summary.findings == ()

    async def test_jobs_are_counted_by_status(self, adapter: Adapter) -> None:
        paused = JobStatus.PAUSED
        await put(
            adapter, a_job("a"), a_job("b", status=paused), a_job("c", status=paused)
        )

        summary = await adapter.summary(now=NOON, is_deep=False)

        counted = {each: summary.jobs.get(each, 0) for each in JobStatus}
        assert counted == {
            JobStatus.ACTIVE: 1,
            JobStatus.PAUSED: 2,
            JobStatus.FINISHED: 0,
        }

    async def test_waits_are_counted_apart(self, adapter: Adapter) -> None:
        waits = [f"{role}{name}" for role in sorted(WAITS) for name in ("on", "off")]
        others = ["await", "waits:a", *(f"{role}a" for role in {*Role} - WAITS)]
        await put(adapter, *map(a_job, [*waits, *others]))
        for job_id in ("await:off", "deadline:off", "trigger:a"):
            job = replace(
                the_next(await read_job(adapter, job_id)), status=JobStatus.FINISHED
            )
            await put(adapter, job)
        await adapter.drop_jobs(["watchdog:off", "await"], now=NOON)

        summary = await adapter.summary(now=NOON, is_deep=False)

        listed = (await adapter.read_jobs(JobQuery(limit=99))).items
        for is_counted, counts in ((False, summary.jobs), (True, summary.waits)):
            counted = {each: counts.get(each, 0) for each in JobStatus}
            assert counted == {
                each: sum(
                    job.status is each and is_wait(job.id) is is_counted
                    for job in listed
                )
                for each in JobStatus
            }
        assert sum(summary.waits.values()) == 5

    async def test_runs_are_counted_by_state(self, adapter: Adapter) -> None:
        await put(adapter, a_job(look_at=NOON))
        states = [*RunState, RunState.WAITING, RunState.FINISHED]
        runs = (a_run(f"{n}", state=state) for n, state in enumerate(states))
        await insert(adapter, *runs)

        summary = await adapter.summary(now=NOON, is_deep=False)

        live = {each: summary.live_runs.get(each, 0) for each in RunState}
        assert live == {
            RunState.WAITING: 2,
            RunState.READY: 1,
            RunState.CLAIMED: 1,
            RunState.FINISHED: 0,
        }
        assert summary.finished_runs == 2

    async def test_the_oldest_look_is_that_of_an_active_job(
        self, adapter: Adapter
    ) -> None:
        await put(
            adapter,
            a_job("a", look_at=at(9)),
            a_job("b", look_at=at(-3, us=1)),
            a_job("c", look_at=at(-9), status=JobStatus.FINISHED),
            a_job("d"),
        )

        summary = await adapter.summary(now=NOON, is_deep=False)

        assert summary.oldest_look_at == at(-3, us=1)

    async def test_a_handler_that_nobody_has_is_named_with_how_many_wait_for_it(
        self, adapter: Adapter
    ) -> None:
        await beat(adapter, handlers=("known",))
        await put(
            adapter,
            a_job("due", handler="x", look_at=NOON),
            a_job("later", handler="x", look_at=at(1)),
            a_job("known", handler="known", look_at=NOON),
        )
        await insert(
            adapter,
            a_run("ready", job_id="due", handler="x"),
            a_run("not yet", job_id="due", handler="x", ready_at=at(1)),
            a_run("going", job_id="due", handler="x", state=RunState.CLAIMED),
            a_run("fine", job_id="due", handler="known"),
            a_run("alone", job_id="due", handler="y"),
        )

        summary = await adapter.summary(now=NOON, is_deep=False)

        assert summary.unresolved == {"x": 2, "y": 1}

    async def test_a_handler_is_resolved_once_an_instance_with_it_is_listed(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job(look_at=NOON))
        before = await adapter.summary(now=NOON, is_deep=False)

        await beat(adapter)

        after = await adapter.summary(now=NOON, is_deep=False)
        assert (before.unresolved, after.unresolved) == ({"work": 1}, {})

    async def test_a_store_that_has_lived_has_no_findings(
        self, adapter: Adapter
    ) -> None:
        await beat(adapter)
        await put(adapter, a_job(look_at=NOON), a_job("gone"))
        await insert(adapter, *(a_run(name) for name in "abcd"))
        await insert(adapter, a_run("orphan", job_id="gone", scheduled=at(-1)))
        orphan, first, second, third = await claim(adapter, limit=4)
        await adapter.drop_jobs(["gone"], now=NOON)
        await finish(adapter, first, keep_until=NOON)
        await finish(adapter, second, Outcome.FAILED)
        await settle(adapter, a_release(third, ready_at=at(9)))
        await adapter.cancel_runs([orphan.id], reason="enough", now=NOON)
        await finish(adapter, orphan, Outcome.CANCELLED)
        await adapter.prune(job_ids=["job"], runs_max=9, limit=9, now=NOON)
        waits = a_run("waits", state=RunState.WAITING)
        job = await read_job(adapter)
        await commit(adapter, a_plan(the_next(job, looks_on_finish=True), waits))

        summary = await adapter.summary(now=NOON, is_deep=True)

        assert summary.findings == ()

    async def test_a_deep_look_finds_a_job_that_cannot_be_read(
        self,
        adapter: Adapter,
        corrupt_definition: Callable[[str], Awaitable[None]],
    ) -> None:
        await put(adapter, a_job("broken"))
        await corrupt_definition("broken")

        summary = await adapter.summary(now=NOON, is_deep=True)

        assert summary.findings or "broken" in summary.quarantined
