"""`cancel_runs`: who has claimed a run is asked to cancel it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvent_sched._model.claims import CANCELLED, STORED
from nvent_sched._model.runs import RunState
from nvent_sched.testing.conformance.builders import (
    LEASE_US,
    NOON,
    a_job,
    a_release,
    a_run,
    an_end,
    an_instance,
)
from nvent_sched.testing.conformance.steps import (
    claim,
    finish,
    insert,
    put,
    read_run,
    settle,
)

if TYPE_CHECKING:
    from nvent_sched._model.runs import Run
    from nvent_sched._port import Adapter


class TestCancelRuns:
    """Ask for CLAIMED runs to be cancelled; others are left as they are."""

    async def test_a_claimed_run_is_marked_with_the_reason(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)

        await adapter.cancel_runs(["run"], reason="enough", now=NOON)

        assert await read_run(adapter) == replace(run, cancel_reason="enough")

    async def test_other_runs_are_left_as_they_are(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        states = (RunState.WAITING, RunState.READY, RunState.FINISHED)
        runs = await insert(
            adapter, *(a_run(each.value, state=each) for each in states)
        )

        await adapter.cancel_runs([run.id for run in runs], reason="enough", now=NOON)

        for run in runs:
            assert await read_run(adapter, run.id) == run

    async def test_a_run_that_had_an_owner_and_has_ended_is_left_as_it_is(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)
        ended = await finish(adapter, run)

        await adapter.cancel_runs(["run"], reason="enough", now=NOON)

        assert await read_run(adapter) == ended
        renewed = await adapter.renew(an_instance(), [], lease_us=LEASE_US, now=NOON)
        assert not renewed.cancelled

    async def test_runs_are_answered_as_they_were_in_the_order_asked_for(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        first, second = await insert(
            adapter, a_run("a", state=RunState.CLAIMED), a_run("b")
        )

        found = await adapter.cancel_runs(
            ["b", "nobody", "a"], reason="enough", now=NOON
        )

        assert found == (second, first)

    async def test_the_first_reason_stays(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run(state=RunState.CLAIMED))
        await adapter.cancel_runs(["run"], reason="first", now=NOON)

        await adapter.cancel_runs(["run"], reason="second", now=NOON)

        assert (await read_run(adapter)).cancel_reason == "first"

    async def test_a_run_that_is_to_be_cancelled_can_still_end_by_itself(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)
        await adapter.cancel_runs(["run"], reason="enough", now=NOON)

        assert await settle(adapter, an_end(run)) == STORED


class TestCancelledMeanwhile:
    """What shall go on is not written over the wish to cancel it; what ended is."""

    @pytest.fixture
    async def run(self, adapter: Adapter) -> Run:
        """Claim a run, and ask for it to be cancelled."""
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)
        await adapter.cancel_runs(["run"], reason="enough", now=NOON)
        return run

    async def test_a_run_that_would_go_on_is_left_as_it_is(
        self, adapter: Adapter, run: Run
    ) -> None:
        verdict = await settle(adapter, a_release(run))

        assert verdict == CANCELLED
        assert await read_run(adapter) == replace(run, cancel_reason="enough")

    async def test_a_run_that_ended_has_ended(self, adapter: Adapter, run: Run) -> None:
        assert await settle(adapter, an_end(run)) == STORED
        assert (await read_run(adapter)).state is RunState.FINISHED

    async def test_who_knows_of_the_wish_may_let_it_go_on(
        self, adapter: Adapter, run: Run
    ) -> None:
        known = a_release(replace(run, cancel_reason="enough"))

        assert await settle(adapter, known) == STORED
        assert (await read_run(adapter)).state is RunState.READY
