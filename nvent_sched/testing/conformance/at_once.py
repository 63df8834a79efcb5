"""Verbs that are asked for at the same time, and verbs that are broken off."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from anyio import create_task_group
from anyio.lowlevel import checkpoint

from nvent_sched._model.claims import STALE, STORED, Committed
from nvent_sched._model.queries import JobQuery
from nvent_sched._model.runs import Outcome, RunState
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_plan,
    a_run,
    a_write,
    an_end,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    claim,
    insert,
    put,
    read_stats,
    run_ids,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched._port import Adapter

T = TypeVar("T")

CALLERS = 8


async def at_once(*verbs: Callable[[], Awaitable[T]]) -> list[T]:
    """Ask for verbs in tasks of their own; answer with what they said."""
    answers: list[T] = []

    async def ask(verb: Callable[[], Awaitable[T]]) -> None:
        answers.append(await verb())

    async with create_task_group() as callers:
        for verb in verbs:
            callers.start_soon(ask, verb)
    return answers


class TestAtOnce:
    """A verb is one atomic step, however many are asked for."""

    async def test_of_many_writes_over_one_version_one_is_stored(
        self, adapter: Adapter
    ) -> None:
        write = partial(adapter.put_jobs, [a_write(a_job())], now=NOON)

        verdicts = await at_once(*[write] * CALLERS)

        assert verdicts.count((STORED,)) == 1
        assert verdicts.count((STALE,)) == CALLERS - 1

    async def test_of_many_plans_for_one_job_one_is_committed(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        runs = [a_run(f"{n}", state=RunState.CLAIMED) for n in range(CALLERS)]
        plans = [a_plan(the_next(a_job()), run) for run in runs]

        verdicts = await at_once(
            *(partial(adapter.commit_plans, [plan], now=NOON) for plan in plans)
        )

        assert sum(isinstance(verdict, Committed) for (verdict,) in verdicts) == 1
        assert len(await run_ids(adapter)) == 1

    async def test_no_run_is_claimed_twice_and_none_is_left_over(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        runs = await insert(adapter, *(a_run(f"{n:02}") for n in range(3 * CALLERS)))

        answers = await at_once(
            *(
                partial(claim, adapter, limit=3, request_id=f"{n}", instance=f"{n}")
                for n in range(CALLERS)
            )
        )

        claimed = [run for answer in answers for run in answer]
        assert sorted(run.id for run in claimed) == [run.id for run in runs]
        assert len({run.fence for run in claimed}) == len(runs)

    async def test_an_end_that_many_report_is_counted_once(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)

        verdicts = await at_once(
            *[partial(adapter.settle, [an_end(run)], now=NOON)] * CALLERS
        )

        assert verdicts == [(STORED,)] * CALLERS
        assert (await read_stats(adapter)).counts == {Outcome.SUCCEEDED: 1}


class TestBrokenOff:
    """A verb whose caller is cancelled was applied whole, or not at all."""

    async def test_a_batch_is_stored_whole_or_not_at_all(
        self, adapter: Adapter
    ) -> None:
        names = [f"job{number}" for number in range(50)]
        writes = [a_write(a_job(name)) for name in names]

        async with create_task_group() as callers:
            callers.start_soon(partial(adapter.put_jobs, writes, now=NOON))
            await checkpoint()
            callers.cancel_scope.cancel()

        await put(adapter, a_job("after"))
        stored = {job.id for job in await adapter.read_jobs(JobQuery())} - {"after"}
        assert stored in (set(), set(names))

    async def test_other_callers_are_served_as_if_nothing_had_happened(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        runs = await insert(adapter, *(a_run(f"{n}") for n in range(CALLERS)))
        (*mine,) = await claim(adapter)

        async def broken_off() -> None:
            async with create_task_group() as callers:
                callers.start_soon(partial(claim, adapter, request_id="broken"))
                await checkpoint()
                callers.cancel_scope.cancel()

        async with create_task_group() as callers:
            for run in mine:
                callers.start_soon(broken_off)
                callers.start_soon(partial(adapter.settle, [an_end(run)], now=NOON))

        assert (await read_stats(adapter)).runs == len(runs)
