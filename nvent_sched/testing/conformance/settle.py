"""`settle`: what became of a run, if nobody took it meanwhile; counted once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvent_sched._model.claims import STALE, STORED, Renewal, Settlement
from nvent_sched._model.runs import Attempt, Outcome, RunState
from nvent_sched.testing.conformance.builders import (
    LEASE_US,
    NOON,
    a_job,
    a_release,
    a_run,
    a_tally,
    an_end,
    an_instance,
    at,
)
from nvent_sched.testing.conformance.steps import (
    a_claim,
    claim,
    finish,
    insert,
    put,
    read_run,
    read_stats,
    run_ids,
    settle,
)

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestSettle:
    """Write what became of each run whose state and fence are those seen."""

    async def test_an_ended_run_is_stored_as_it_shall_be(
        self, adapter: Adapter
    ) -> None:
        settlement = an_end(await a_claim(adapter), now=at(5), keep_until=at(99, us=1))
        full = replace(
            settlement.run,
            result='{"a":1}',
            log=("one", "two"),
            progress=1.0,
            started_at=at(1, us=1),
        )

        verdict = await settle(adapter, replace(settlement, run=full), now=at(5))

        assert verdict == STORED
        assert await read_run(adapter) == full

    async def test_a_run_for_another_attempt_is_ready_at_its_time(
        self, adapter: Adapter
    ) -> None:
        run = await a_claim(adapter)
        release = a_release(run, ready_at=at(10))
        made = Attempt(
            number=1,
            outcome=Outcome.FAILED,
            instance="one",
            started_at=NOON,
            ended_at=at(1),
            error="no",
        )
        released = replace(release, run=replace(release.run, attempts=(made,)))

        assert await settle(adapter, released) == STORED

        assert await read_run(adapter) == released.run
        assert await claim(adapter, now=at(9), request_id="9") == ()
        (again,) = await claim(adapter, now=at(10), request_id="10")
        assert again.attempts == (made,)
        assert again.attempt == 2

    async def test_an_old_fence_is_stale_and_nothing_is_changed(
        self, adapter: Adapter
    ) -> None:
        old = await a_claim(adapter)
        await settle(adapter, a_release(old))
        (new,) = await claim(adapter, request_id="again")

        assert await settle(adapter, an_end(old)) == STALE

        assert await read_run(adapter) == new
        assert (await read_stats(adapter)).runs == 0

    async def test_another_state_is_stale_and_nothing_is_changed(
        self, adapter: Adapter
    ) -> None:
        run = await a_claim(adapter)
        settlement = replace(an_end(run), seen_state=RunState.READY)

        assert await settle(adapter, settlement) == STALE

        assert await read_run(adapter) == run

    async def test_an_unknown_run_is_stale_and_stays_unknown(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())

        assert await settle(adapter, an_end(a_run(state=RunState.CLAIMED))) == STALE

        assert await run_ids(adapter) == []
        assert (await read_stats(adapter)).runs == 0

    async def test_a_run_nobody_has_claimed_can_be_ended(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        (run,) = await insert(adapter, a_run())

        await finish(adapter, run, Outcome.CANCELLED)

        assert await claim(adapter) == ()
        assert (await read_stats(adapter)).counts == {Outcome.CANCELLED: 1}

    async def test_a_run_for_another_attempt_is_still_one_of_its_job(
        self, adapter: Adapter
    ) -> None:
        run = await a_claim(adapter)

        await settle(adapter, a_release(run))

        (facts,) = await adapter.read_facts(["job"])
        assert [(each.id, each.state) for each in facts.live] == [("run", "ready")]

    async def test_what_an_attempt_said_is_forgotten_with_the_next(
        self, adapter: Adapter
    ) -> None:
        run = await a_claim(adapter)
        failed = replace(run, error="no", log=("a line",), progress_note="half")
        await settle(adapter, a_release(failed))
        (again,) = await claim(adapter, request_id="again")
        bare = replace(again, error=None, log=(), progress_note=None)

        await settle(adapter, replace(an_end(again), run=an_end(bare).run))

        assert again.error == "no"
        assert await read_run(adapter) == an_end(bare).run

    async def test_a_finished_run_can_be_made_ready_again(
        self, adapter: Adapter
    ) -> None:
        ended = await finish(adapter, await a_claim(adapter), Outcome.DEAD_LETTERED)
        ready = replace(
            a_run(), fence=ended.fence, attempt=2, finished_at=None, outcome=None
        )
        retry = Settlement(
            run=ready, seen_state=RunState.FINISHED, seen_fence=ended.fence
        )

        assert await settle(adapter, retry) == STORED

        (again,) = await claim(adapter, request_id="again")
        assert again.fence > ended.fence

    async def test_each_settlement_of_a_batch_has_its_own_verdict(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_run(name) for name in "abc"))
        first, second, third = [an_end(run) for run in await claim(adapter)]
        wrong = replace(second, seen_fence=second.seen_fence + 1_000)

        verdicts = await adapter.settle([first, wrong, third], now=NOON)

        assert verdicts == (STORED, STALE, STORED)
        assert (await read_stats(adapter)).runs == 2


class TestSettleAgain:
    """Repeating an applied settlement answers `Stored` and adds nothing."""

    async def test_an_end_that_is_repeated_is_counted_once(
        self, adapter: Adapter
    ) -> None:
        settlement = an_end(await a_claim(adapter), now=at(1))
        await settle(adapter, settlement, now=at(1))
        counted = await read_stats(adapter)

        assert await settle(adapter, settlement, now=at(2)) == STORED

        assert await read_stats(adapter) == counted
        assert await read_run(adapter) == settlement.run

    async def test_a_release_that_is_repeated_is_counted_once(
        self, adapter: Adapter
    ) -> None:
        release = a_release(await a_claim(adapter))
        counted = replace(release, tally=a_tally(None))
        await settle(adapter, counted)

        assert await settle(adapter, counted) == STORED

        assert (await read_stats(adapter)).retries == 1

    async def test_one_settlement_twice_in_a_batch_is_counted_once(
        self, adapter: Adapter
    ) -> None:
        settlement = an_end(await a_claim(adapter))

        verdicts = await adapter.settle([settlement, settlement], now=NOON)

        assert verdicts == (STORED, STORED)
        assert (await read_stats(adapter)).runs == 1

    async def test_a_different_end_with_the_same_fence_is_stale(
        self, adapter: Adapter
    ) -> None:
        run = await a_claim(adapter)
        ended = await finish(adapter, run, Outcome.LOST, now=at(1))

        late = an_end(run, Outcome.SUCCEEDED, now=at(2))

        assert await settle(adapter, late, now=at(2)) == STALE
        assert await read_run(adapter) == ended
        assert (await read_stats(adapter)).counts == {Outcome.LOST: 1}

    async def test_a_release_repeated_after_somebody_claimed_the_run_takes_nothing(
        self, adapter: Adapter
    ) -> None:
        release = a_release(await a_claim(adapter))
        await settle(adapter, release)
        (taken,) = await claim(adapter, request_id="theirs", instance="two")

        await settle(adapter, release)

        assert await read_run(adapter) == taken


class TestReaper:
    """Who decides on somebody else's lease must not win against a renewal."""

    async def test_it_settles_a_run_whose_lease_is_the_one_it_saw(
        self, adapter: Adapter
    ) -> None:
        run = await a_claim(adapter)
        verdict = an_end(run, Outcome.LOST, seen_lease_until=run.lease_until)

        assert await settle(adapter, verdict) == STORED

    async def test_it_loses_against_a_renewal(self, adapter: Adapter) -> None:
        run = await a_claim(adapter)
        verdict = an_end(run, Outcome.LOST, seen_lease_until=run.lease_until)
        renewal = Renewal(run_id=run.id, fence=run.fence)
        await adapter.renew(an_instance(), [renewal], lease_us=LEASE_US, now=at(1))

        assert await settle(adapter, verdict, now=at(2)) == STALE

        assert (await read_run(adapter)).state is RunState.CLAIMED
        assert (await read_stats(adapter)).runs == 0

    async def test_its_repeated_verdict_is_stored_and_counted_once(
        self, adapter: Adapter
    ) -> None:
        run = await a_claim(adapter)
        verdict = an_end(run, Outcome.LOST, seen_lease_until=run.lease_until)
        await settle(adapter, verdict)

        assert await settle(adapter, verdict) == STORED

        assert (await read_stats(adapter)).counts == {Outcome.LOST: 1}
