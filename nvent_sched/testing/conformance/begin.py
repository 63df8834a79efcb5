"""`begin`: READY runs are claimed, oldest first, within the free slots."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from nvent_sched._model.claims import Pool, Renewal
from nvent_sched._model.instants import Instant
from nvent_sched._model.runs import RunState
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    LEASE_US,
    NOON,
    a_job,
    a_plan,
    a_release,
    a_run,
    an_end,
    an_instance,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    claim,
    commit,
    insert,
    put,
    read_run,
    settle,
)

if TYPE_CHECKING:
    from nvent_sched._model.claims import Claims
    from nvent_sched._port import Adapter


async def begin(
    adapter: Adapter,
    *pools: Pool,
    until: Instant = NOON,
    now: Instant = NOON,
    request_id: str = "request",
) -> Claims:
    """Claim for instance "one", in a request of its own."""
    return await adapter.begin(
        request_id=request_id,
        instance="one",
        pools=pools,
        until=until,
        lease_us=LEASE_US,
        now=now,
    )


class TestBegin:
    """Claim READY runs whose `ready_at` is at or before *until*, oldest first."""

    async def test_a_ready_run_is_claimed_with_a_token_and_a_lease(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())

        claims = await begin(adapter, Pool(handlers=(HANDLER,), limit=1), now=at(1))

        (run,) = claims.runs
        assert claims.now == at(1)
        assert run.fence > 0
        assert run == replace(
            a_run(),
            state=RunState.CLAIMED,
            instance="one",
            fence=run.fence,
            lease_until=at(301),
        )
        assert await read_run(adapter) == run

    async def test_of_many_what_is_not_given_at_once_is_told_and_given_next(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        (facts,) = await adapter.read_facts(["job"])
        runs = [a_run(f"run{number:04}") for number in range(600)]
        same = the_next(facts.job, look_at=facts.job.look_at)
        await commit(adapter, a_plan(same, *runs))
        pool, given, requests = Pool(handlers=(HANDLER,), limit=10_000), [], count()
        is_more = True

        while is_more:
            claims = await begin(adapter, pool, request_id=f"{next(requests)}")
            given += [run.id for run in claims.runs]
            is_more = claims.next_ready_at is not None

        assert given == [run.id for run in runs]

    async def test_a_run_is_claimed_when_it_is_ready_and_not_a_microsecond_before(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run(ready_at=NOON))
        pool = Pool(handlers=(HANDLER,), limit=1)

        early = await begin(adapter, pool, until=Instant(NOON - 1))
        then = await begin(adapter, pool, until=NOON)

        assert (early.runs, early.next_ready_at) == ((), NOON)
        assert [run.id for run in then.runs] == ["run"]

    async def test_a_run_that_is_ready_takes_none_with_it_that_is_not(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("a"), a_run("b", ready_at=at(0, us=1)))

        claims = await begin(adapter, Pool(handlers=(HANDLER,), limit=9))

        assert [run.id for run in claims.runs] == ["a"]
        assert claims.next_ready_at == at(0, us=1)

    async def test_a_run_may_be_claimed_ahead_of_its_time(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run(ready_at=at(2)))
        pool = Pool(handlers=(HANDLER,), limit=1)

        claims = await begin(adapter, pool, until=at(2), now=NOON)

        assert [run.lease_until for run in claims.runs] == [NOON + LEASE_US]

    async def test_the_oldest_comes_first_then_the_id_decides(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        times = {"c": -2, "b": -1, "a": -1, "d": -3}
        await insert(adapter, *(a_run(k, ready_at=at(t)) for k, t in times.items()))

        claims = await begin(adapter, Pool(handlers=(HANDLER,), limit=3))

        assert [run.id for run in claims.runs] == ["d", "c", "a"]
        assert claims.next_ready_at == at(-1)

    async def test_a_later_claim_has_a_higher_token(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_run(name) for name in "abc"))

        first = await claim(adapter, limit=2, request_id="first")
        second = await claim(adapter, limit=2, request_id="second")

        fences = [run.fence for run in (*first, *second)]
        assert len(set(fences)) == 3
        assert max(fences[:2]) < fences[2]

    async def test_only_ready_runs_are_claimed(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_run(each.value, state=each) for each in RunState))

        assert [run.id for run in await claim(adapter)] == ["ready"]

    async def test_runs_of_other_handlers_are_left_to_others(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        other = a_run("b", handler="other", ready_at=at(-9))
        await insert(adapter, a_run("a"), other)

        claims = await begin(adapter, Pool(handlers=(HANDLER, "third"), limit=9))

        assert [run.id for run in claims.runs] == ["a"]
        assert claims.next_ready_at is None
        assert await read_run(adapter, "b") == other

    async def test_no_pool_takes_more_than_its_limit(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        runs = [
            a_run(f"{handler}{number}", handler=handler)
            for handler in ("x", "y", "z")
            for number in range(3)
        ]
        await insert(adapter, *runs)

        claims = await begin(
            adapter, Pool(handlers=("x", "y"), limit=2), Pool(handlers=("z",), limit=1)
        )

        taken = sorted(run.id for run in claims.runs)
        assert taken == ["x0", "x1", "z0"]

    async def test_a_pool_without_room_takes_nothing(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())

        claims = await begin(adapter, Pool(handlers=(HANDLER,), limit=0))

        assert (claims.runs, claims.next_ready_at) == ((), NOON)

    async def test_without_pools_nothing_is_claimed(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())

        claims = await begin(adapter)

        assert (claims.runs, claims.next_ready_at) == ((), None)

    async def test_the_next_ready_run_is_of_the_handlers_asked_for(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(
            adapter,
            a_run("a", ready_at=at(5)),
            a_run("b", ready_at=at(7, us=1), handler="other"),
            a_run("c", ready_at=at(1), handler="third"),
            a_run("d", ready_at=at(2), state=RunState.WAITING),
        )

        claims = await begin(
            adapter,
            Pool(handlers=(HANDLER,), limit=1),
            Pool(handlers=("other",), limit=1),
            until=at(6),
        )

        assert [run.id for run in claims.runs] == ["a"]
        assert claims.next_ready_at == at(7, us=1)

    async def test_a_run_is_claimed_by_one_instance_only(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())

        one = await claim(adapter, instance="one", request_id="1")
        two = await claim(adapter, instance="two", request_id="2")

        assert [run.instance for run in (*one, *two)] == ["one"]


class TestBeginAgain:
    """With the same request id again: the same runs, while they are claimed by it."""

    async def test_the_same_request_gets_the_same_runs_and_no_more(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_run(name) for name in "abcd"))
        first = await claim(adapter, limit=2)

        again = await claim(adapter, limit=2, now=at(1))

        assert again == first
        assert (await read_run(adapter, "c")).state is RunState.READY

    async def test_a_run_that_was_settled_meanwhile_is_not_given_again(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("a"), a_run("b"))
        first, second = await claim(adapter)
        await settle(adapter, an_end(first))

        assert await claim(adapter) == (second,)

    async def test_a_run_that_somebody_else_claimed_meanwhile_is_not_given_again(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("a"), a_run("b"))
        first, second = await claim(adapter, request_id="mine")
        await settle(adapter, a_release(first))
        (taken,) = await claim(adapter, request_id="theirs", instance="two")

        again = await claim(adapter, request_id="mine")

        assert taken.id == first.id
        assert again == (second,)

    async def test_a_run_that_is_renewed_or_cancelled_is_still_claimed_by_it(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)
        renewal = Renewal(run_id="run", fence=run.fence)
        await adapter.renew(an_instance(), [renewal], lease_us=LEASE_US, now=at(1))
        await adapter.cancel_runs(["run"], reason="enough", now=at(1))

        renewed = replace(run, lease_until=at(301), cancel_reason="enough")
        assert await claim(adapter, now=at(2)) == (renewed,)

    async def test_another_request_gets_other_runs(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("a"), a_run("b"))

        first = await claim(adapter, limit=1, request_id="1")
        second = await claim(adapter, limit=1, request_id="2")

        assert [run.id for run in (*first, *second)] == ["a", "b"]
