"""`commit_plans` with `is_whole`: all plans are applied in one step, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvent_sched._model.claims import STALE, Committed
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_plan,
    a_run,
    a_tally,
    the_next,
)
from nvent_sched.testing.conformance.steps import put, read_job, run_ids

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestCommitWhole:
    """A stale plan among them makes every one stale."""

    async def test_a_thousand_plans_are_applied_whole_in_one_step(
        self, adapter: Adapter
    ) -> None:
        names = [f"job{number}" for number in range(1_000)]
        await put(adapter, *map(a_job, names))
        plans = [
            a_plan(the_next(a_job(name)), a_run(f"{name}!run", job_id=name))
            for name in names
        ]

        verdicts = await adapter.commit_plans(plans, now=NOON, is_whole=True)

        assert verdicts == (Committed(fences=(0,)),) * 1_000
        assert len(await run_ids(adapter)) == 1_000

    @pytest.mark.parametrize("place", [0, 999])
    async def test_a_thousand_plans_are_not_applied_if_one_of_them_is_stale(
        self, adapter: Adapter, place: int
    ) -> None:
        names = [f"job{number}" for number in range(1_000)]
        await put(adapter, *map(a_job, names))
        await put(adapter, the_next(a_job(names[place])))
        plans = [
            a_plan(
                the_next(a_job(name)),
                a_run(f"{name}!run", job_id=name),
                tallies=(a_tally(),),
            )
            for name in names
        ]

        verdicts = await adapter.commit_plans(plans, now=NOON, is_whole=True)

        assert verdicts == (STALE,) * 1_000
        assert await run_ids(adapter) == []
        assert await read_job(adapter, names[1]) == a_job(names[1])

    async def test_of_two_plans_for_one_job_neither_is_applied_if_they_must_be_whole(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        plans = [a_plan(the_next(a_job()), a_run(name)) for name in ("first", "second")]

        verdicts = await adapter.commit_plans(plans, now=NOON, is_whole=True)

        assert verdicts == (STALE, STALE)
        assert await run_ids(adapter) == []
