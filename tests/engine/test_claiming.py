"""What is claimed is what can be started, once, and only if the store stands by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nvent_sched import Interval, OneTime, RunContext, Scheduler
from nvent_sched._model.queries import RunQuery
from nvent_sched._model.runs import RunState
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.errors import StoreUnavailableError
from nvent_sched.testing.conformance.builders import a_job
from nvent_sched.testing.conformance.steps import put

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvent_sched._model.claims import DueJob
    from nvent_sched._model.runs import Run
    from nvent_sched.testing import ManualClock
    from tests.engine.conftest import Far

SECOND = timedelta(seconds=1)


async def test_of_two_instances_one_starts_each_occurrence(
    near: MemoryAdapter,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
    calls: list[str],
) -> None:
    async def note(run: RunContext) -> None:
        calls.append(run.scheduled_time.isoformat())

    async with instance(near) as one, instance(near) as two:
        one.handler("work")(note)
        two.handler("work")(note)
        for number in range(3):
            await one.schedule("work", Interval(seconds=1), id=f"{number}")
        await clock.advance(20 * SECOND)

    assert len(calls) == 3 * 20
    assert len(set(calls)) == 20


async def test_a_job_that_is_made_anew_while_its_run_is_going_does_not_start_it_twice(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def endless() -> None:
        calls.append("began")
        await clock.sleep(timedelta(days=1))

    moment = OneTime(clock.moment + SECOND)
    await scheduler.schedule(endless, moment, id="job", overlap="allow_all")
    await clock.advance(SECOND)
    await scheduler.unschedule("job")

    await scheduler.schedule(endless, moment, id="job", overlap="allow_all")
    await clock.advance(5 * SECOND)

    assert calls == ["began"]


async def test_no_more_is_claimed_than_can_be_started(
    near: MemoryAdapter, clock: ManualClock, instance: Callable[..., Scheduler]
) -> None:
    async def work() -> None:
        await clock.sleep(5 * SECOND)

    claimed: list[int] = []
    async with instance(near, max_running=2) as one:
        one.handler("work")(work)
        for number in range(7):
            moment = OneTime(in_=SECOND * (1 if number < 4 else 2))
            await one.schedule("work", moment, id=f"{number}")
        while (await one.stats()).runs < 7:
            await clock.advance(0.5 * SECOND)
            query = RunQuery(states=(RunState.CLAIMED,))
            claimed.append(len((await near.read_runs(query)).items))

    assert max(claimed) == 2
    assert len(claimed) == 2 * (1 + 4 * 5), "the slots are always in use"


class Doubtful(MemoryAdapter):
    """A store that does not say whether claims are safe.

    Attributes:
        doubts: It says that none is.
        is_out_of_reach: It does not even answer.
    """

    doubts = True
    is_out_of_reach = False

    async def confirm(self, claims: Sequence[Run]) -> frozenset[str]:
        if self.is_out_of_reach:
            msg = "confirm"
            raise StoreUnavailableError(msg)
        return frozenset() if self.doubts else await super().confirm(claims)


async def test_what_must_not_start_twice_waits_until_the_store_stands_by_its_claim(
    clock: ManualClock, instance: Callable[..., Scheduler], calls: list[str]
) -> None:
    store = Doubtful()

    async def note(run: RunContext) -> None:
        calls.append(run.job_id)

    async with instance(store) as one:
        one.handler("work")(note)
        await one.schedule("work", OneTime(in_=SECOND), id="once", on_lost="fail")
        await one.schedule("work", OneTime(in_=SECOND), id="again")
        await clock.advance(5 * SECOND)
        doubted = [*calls]
        store.is_out_of_reach = True
        await clock.advance(5 * SECOND)
        unanswered = [*calls]
        store.is_out_of_reach = store.doubts = False
        await clock.advance(5 * SECOND)

    assert (doubted, unanswered) == (["again"], ["again"])
    assert calls == ["again", "once"]


class Contended(MemoryAdapter):
    """A store in which somebody else is faster, once.

    Attributes:
        rival: What somebody else does between a read and a write.
    """

    rival: Callable[[], Any] | None = None

    async def read_facts(self, job_ids: Sequence[str]) -> tuple[DueJob, ...]:
        facts = await super().read_facts(job_ids)
        rival, self.rival = self.rival, None
        if rival is not None:
            await rival()
        return facts


async def test_an_edit_that_lost_a_race_is_decided_anew(
    clock: ManualClock, instance: Callable[..., Scheduler]
) -> None:
    store = Contended()
    async with instance(store) as one, instance(store) as two:
        await one.schedule("work", Interval(hours=1), id="job")
        store.rival = lambda: two.reschedule("job", Interval(hours=2))

        await one.pause("job", reason="enough")

        job = await one.get_job("job")
        assert (job.status, job.note) == ("paused", "enough")
        assert job.next_time == clock.moment + timedelta(hours=2)


async def test_what_the_stores_clock_says_counts_and_not_ours(
    far: Far, clock: ManualClock, instance: Callable[..., Scheduler], calls: list[str]
) -> None:
    far.ahead = timedelta(minutes=5)

    async def note() -> None:
        calls.append("began")

    async with instance(far) as one:
        one.handler("work")(note)
        moment = clock.moment + far.ahead + 10 * SECOND
        await one.schedule("work", OneTime(moment), id="job")
        await clock.advance(9.9 * SECOND)
        before = [*calls]
        await clock.advance(0.1 * SECOND)

    assert (before, calls) == ([], ["began"])


async def test_a_job_whose_schedule_nobody_can_read_is_paused_and_stops_no_other(
    near: MemoryAdapter,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
    calls: list[str],
) -> None:
    async def note(run: RunContext) -> None:
        calls.append(run.job_id)

    odd = a_job("odd", look_at=clock.now())
    odd = replace(odd, definition=replace(odd.definition, schedule='{"moon":"full"}'))
    async with instance(near) as one:
        one.handler("work")(note)
        await put(near, odd)
        await one.schedule("work", Interval(seconds=2), id="fine")
        await clock.advance(2 * SECOND)

        _, job = await one.jobs()

    assert calls == ["fine"]
    assert (job.id, job.status) == ("odd", "paused")
    assert "cannot be read" in job.note
    assert "no schedule we know" in job.schedule.describe()
    assert job.schedule.next_after(clock.moment) is None


async def test_a_claim_that_is_let_go_of_takes_no_later_one_of_its_run_with_it(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def endless() -> None:
        await clock.sleep(timedelta(days=1))

    await scheduler.schedule(endless, OneTime(clock.moment), id="job")
    await clock.run_until_idle()
    core = scheduler._engine.core  # type: ignore[union-attr]  # it runs
    (first,) = core.claims.values()
    again = replace(first)
    core.claims[first.run.id] = again
    core.taken[first.executor] += 1

    for _ in range(2):
        core.release(first)

    assert core.claims == {first.run.id: again}
    assert core.taken[first.executor] == 1
    core.release(again)
    assert core.claims == {}
    assert core.taken[first.executor] == 0
