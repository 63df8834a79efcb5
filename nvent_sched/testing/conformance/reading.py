"""`read_jobs` and `read_runs`: filters, order, and pages without gaps or repeats."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import JobQuery, RunQuery
from nvent_sched._model.runs import Origin, Outcome, RunState
from nvent_sched.testing.conformance.builders import a_job, a_run, at
from nvent_sched.testing.conformance.steps import claim, insert, put

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


async def job_ids(adapter: Adapter, query: JobQuery) -> list[str]:
    """Say which jobs a query finds, in order."""
    return [job.id for job in (await adapter.read_jobs(query)).items]


async def found_ids(adapter: Adapter, query: RunQuery) -> list[str]:
    """Say which runs a query finds, in order."""
    return [run.id for run in (await adapter.read_runs(query)).items]


class TestReadJobs:
    """Read jobs in the order of their ids."""

    async def test_an_empty_store_has_no_jobs(self, adapter: Adapter) -> None:
        page = await adapter.read_jobs(JobQuery())

        assert (page.items, page.next) == ((), None)

    async def test_jobs_come_in_the_order_of_their_ids_whatever_was_asked(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, *(a_job(name) for name in ("b", "a", "B", "ä", "c")))

        assert await job_ids(adapter, JobQuery()) == ["B", "a", "b", "c", "ä"]
        assert await job_ids(adapter, JobQuery(ids=("c", "a"))) == ["a", "c"]

    async def test_unknown_ids_are_left_out(self, adapter: Adapter) -> None:
        await put(adapter, a_job("a"))

        assert await job_ids(adapter, JobQuery(ids=("a", "nobody"))) == ["a"]
        assert await job_ids(adapter, JobQuery(ids=())) == []

    async def test_jobs_are_found_by_status(self, adapter: Adapter) -> None:
        await put(adapter, *(a_job(each.value, status=each) for each in JobStatus))

        for status in JobStatus:
            assert await job_ids(adapter, JobQuery(status=status)) == [status.value]

    async def test_jobs_are_found_by_a_whole_tag(self, adapter: Adapter) -> None:
        await put(
            adapter,
            a_job("a", tags=("ops", "x")),
            a_job("b", tags=("x", "ops")),
            a_job("c", tags=("ops2", 'o"ps', "o_s")),
            a_job("d"),
        )

        assert await job_ids(adapter, JobQuery(tag="ops")) == ["a", "b"]
        assert await job_ids(adapter, JobQuery(tag='o"ps')) == ["c"]
        assert await job_ids(adapter, JobQuery(tag="%")) == []

    async def test_jobs_are_found_by_handler(self, adapter: Adapter) -> None:
        await put(adapter, a_job("a", handler="x"), a_job("b", handler="X"))

        assert await job_ids(adapter, JobQuery(handler="x")) == ["a"]

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("port", ["a", "c"]),
            ("PORT", ["a", "c"]),
            ("ÜBER", ["b"]),
            ("%", ["c"]),
            ("_", ["c"]),
            ("daily r", ["a"]),
            ("\\", []),
        ],
    )
    async def test_jobs_are_found_by_a_part_of_id_or_name_in_any_case(
        self, adapter: Adapter, text: str, found: list[str]
    ) -> None:
        await put(
            adapter,
            a_job("a", name="Daily Report"),
            a_job("b", name="über"),
            a_job("c", name="c-Port_%"),
        )

        assert await job_ids(adapter, JobQuery(text=text)) == found

    async def test_all_filters_hold_together(self, adapter: Adapter) -> None:
        paused = JobStatus.PAUSED
        await put(
            adapter,
            a_job("a", status=paused, tags=("x",)),
            a_job("b", status=paused),
            a_job("c", tags=("x",)),
        )

        assert await job_ids(adapter, JobQuery(status=paused, tag="x")) == ["a"]

    @pytest.mark.parametrize("limit", [1, 3, 7, 8])
    async def test_pages_are_complete_and_without_repeats(
        self, adapter: Adapter, limit: int
    ) -> None:
        names = [f"job{number}" for number in range(7)]
        await put(adapter, *(a_job(name, tags=("x",)) for name in names))
        await put(adapter, a_job("job3b"))
        found: list[str] = []
        after: str | None = None

        for _ in range(-(-len(names) // limit)):
            page = await adapter.read_jobs(JobQuery(tag="x", limit=limit, after=after))
            assert len(page.items) <= limit
            found += [job.id for job in page.items]
            after = page.next

        assert after is None
        assert found == names

    async def test_a_job_stored_between_two_pages_moves_no_other(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job("b"), a_job("c"), a_job("d"))
        first = await adapter.read_jobs(JobQuery(limit=2))
        await put(adapter, a_job("a"))

        second = await adapter.read_jobs(JobQuery(limit=2, after=first.next))

        assert [job.id for job in second.items] == ["d"]

    async def test_pages_of_given_ids_are_complete(self, adapter: Adapter) -> None:
        await put(adapter, *(a_job(name) for name in "abc"))
        ids = ("c", "b", "a")

        first = await adapter.read_jobs(JobQuery(ids=ids, limit=2))
        second = await adapter.read_jobs(JobQuery(ids=ids, limit=2, after=first.next))

        assert [job.id for job in (*first.items, *second.items)] == ["a", "b", "c"]
        assert second.next is None


class TestReadRuns:
    """Read runs, newest occurrence first."""

    async def test_an_empty_store_has_no_runs(self, adapter: Adapter) -> None:
        page = await adapter.read_runs(RunQuery())

        assert (page.items, page.next) == ((), None)

    async def test_the_newest_comes_first_then_the_higher_id(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        times = {"a": 1, "d": 2, "c": 2, "b": 3}
        await insert(adapter, *(a_run(k, scheduled=at(t)) for k, t in times.items()))

        assert await found_ids(adapter, RunQuery()) == ["b", "d", "c", "a"]
        assert await found_ids(adapter, RunQuery(ids=("a", "c", "no"))) == ["c", "a"]
        assert await found_ids(adapter, RunQuery(ids=())) == []

    async def test_runs_are_found_by_job(self, adapter: Adapter) -> None:
        await put(adapter, a_job("a"), a_job("b"))
        for name in "ab":
            await insert(adapter, a_run(f"{name}1", job_id=name))

        assert await found_ids(adapter, RunQuery(job_id="a")) == ["a1"]

    async def test_runs_are_found_by_states(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_run(each.value, state=each) for each in RunState))
        states = (RunState.CLAIMED, RunState.READY)

        assert await found_ids(adapter, RunQuery(states=states)) == ["ready", "claimed"]
        assert await found_ids(adapter, RunQuery(states=())) == []

    async def test_runs_are_found_by_outcomes(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        finished = RunState.FINISHED
        runs = (a_run(each.value, state=finished, outcome=each) for each in Outcome)
        await insert(adapter, *runs, a_run("live"))
        wanted = (Outcome.FAILED, Outcome.LOST)

        assert await found_ids(adapter, RunQuery(outcomes=wanted)) == ["lost", "failed"]

    async def test_runs_are_found_by_origin(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_run(f"of {each}", origin=each) for each in Origin))

        for origin in Origin:
            found = await found_ids(adapter, RunQuery(origin=origin))
            assert found == [f"of {origin}"]

    async def test_runs_are_found_by_instance(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("a"), a_run("b"), a_run("c"))
        await claim(adapter, limit=1, instance="one", request_id="1")
        await claim(adapter, limit=1, instance="two", request_id="2")

        assert await found_ids(adapter, RunQuery(instance="one")) == ["a"]

    async def test_runs_are_found_from_an_instant_up_to_before_another(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_run(f"{n}", scheduled=at(n)) for n in range(5)))

        found = await found_ids(adapter, RunQuery(since=at(1), until=at(3)))

        assert found == ["2", "1"]

    async def test_all_filters_hold_together(self, adapter: Adapter) -> None:
        await put(adapter, a_job("a"), a_job("b"))
        for name in "ab":
            ready = a_run(f"{name}r", job_id=name)
            waiting = a_run(f"{name}w", job_id=name, state=RunState.WAITING)
            await insert(adapter, ready, waiting)

        query = RunQuery(job_id="a", states=(RunState.READY,), since=at(0))

        assert await found_ids(adapter, query) == ["ar"]

    @pytest.mark.parametrize("limit", [1, 3, 7, 8])
    async def test_pages_are_complete_and_without_repeats(
        self, adapter: Adapter, limit: int
    ) -> None:
        await put(adapter, a_job())
        names = [f"run{number}" for number in range(7)]
        runs = (a_run(name, scheduled=at(n // 3)) for n, name in enumerate(names))
        await insert(adapter, *runs, a_run("other", state=RunState.WAITING))
        found: list[str] = []
        after: str | None = None

        for _ in range(-(-len(names) // limit)):
            page = await adapter.read_runs(
                RunQuery(states=(RunState.READY,), limit=limit, after=after)
            )
            assert len(page.items) <= limit
            found += [run.id for run in page.items]
            after = page.next

        assert after is None
        assert found == names[::-1]

    @pytest.mark.parametrize("job_id", [None, "a"])
    @pytest.mark.parametrize("limit", [1, 2, 7])
    async def test_runs_that_live_are_found_among_many_that_ended(
        self, adapter: Adapter, limit: int, job_id: str | None
    ) -> None:
        await put(adapter, a_job("a"), a_job("b"))
        states = (RunState.READY, RunState.FINISHED, RunState.FINISHED)
        for name in "ab":
            runs = (
                a_run(
                    f"{name}{n:02}", job_id=name, scheduled=at(n), state=states[n % 3]
                )
                for n in range(-6, 12)
            )
            await insert(adapter, *runs, a_run(f"{name}w", state=RunState.WAITING))
        query = RunQuery(states=(RunState.READY,), job_id=job_id, limit=limit)
        names, until = "ba" if job_id is None else "a", at(9)
        wanted = [f"{name}{n:02}" for n in (6, 3, 0, -3, -6) for name in names]
        found: list[str] = []
        after: str | None = None

        for _ in range(-(-len(wanted) // limit)):
            page = await adapter.read_runs(replace(query, until=until, after=after))
            assert len(page.items) <= limit
            found += [run.id for run in page.items]
            after = page.next

        assert after is None
        assert found == wanted

    async def test_a_run_stored_between_two_pages_moves_no_other(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_run(f"{n}", scheduled=at(n)) for n in range(3)))
        first = await adapter.read_runs(RunQuery(limit=2))
        await insert(adapter, a_run("9", scheduled=at(9)))

        second = await adapter.read_runs(RunQuery(limit=2, after=first.next))

        assert [run.id for run in second.items] == ["0"]
