"""An instance acts on a claim no longer than it may, and judges nobody it cannot see.

The heartbeat is a second, a silent instance is dead after ten, and trust ends a tenth of
that earlier.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from queue import SimpleQueue
from typing import TYPE_CHECKING

import anyio
from anyio.to_thread import run_sync

from nvent_sched import OneTime, RunContext, Scheduler
from nvent_sched._model.instants import MICROSECOND, Instant
from nvent_sched._model.policies import OnLost, Policies
from nvent_sched._model.queries import RunQuery
from nvent_sched._model.runs import Origin, Outcome, RunState
from nvent_sched.errors import LostClaimError
from nvent_sched.testing import ManualClock
from nvent_sched.testing.conformance.builders import a_job, a_release, a_run
from nvent_sched.testing.conformance.steps import (
    beat,
    claim,
    insert,
    put,
    read_run,
    settle,
)
from tests.engine.conftest import START, Far

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._model.runs import Run
    from nvent_sched.adapters.memory import MemoryAdapter

SECOND = timedelta(seconds=1)
TRUST = 9 * SECOND


class Diary:
    """A handler that goes on for ever, and when it began and was stopped."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock, self._began = clock, clock.moment
        self.began: list[timedelta] = []
        self.stopped: list[timedelta] = []
        self.fences: list[int] = []

    @property
    def now(self) -> timedelta:
        return self._clock.moment - self._began

    async def __call__(self, run: RunContext) -> None:
        self.began.append(self.now)
        self.fences.append(run.fencing_token)
        try:
            await self._clock.sleep(timedelta(days=1))
        finally:
            self.stopped.append(self.now)


async def the_run(near: MemoryAdapter) -> Run:
    (run,) = (await near.read_runs(RunQuery())).items
    return run


async def kinds(scheduler: Scheduler) -> list[str]:
    """Say what was told so far."""
    events = await scheduler._adapter.read_events(after=0, limit=1_000)
    return [str(event.kind) for event in events]


async def test_who_cannot_renew_stops_before_another_may_start(
    near: MemoryAdapter,
    far: Far,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
) -> None:
    ours, theirs = Diary(clock), Diary(clock)
    async with instance(far) as one, instance(near) as two:
        one.handler("work")(ours)
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(4.5 * SECOND)
        two.handler("work")(theirs)
        far.cut = {"*"}

        await clock.advance(20 * SECOND)

        assert ours.began == [0 * SECOND]
        assert ours.stopped == [4 * SECOND + TRUST]
        assert theirs.began > ours.stopped
        far.cut = set()
        await clock.advance(10 * SECOND)
        assert theirs.stopped == []
        assert "run_fenced" in await kinds(two)


async def test_a_plain_handler_is_told_that_its_claim_is_lost(
    far: Far, clock: ManualClock, instance: Callable[..., Scheduler]
) -> None:
    clock.patience = 0.02  # it goes on whatever the clock shows
    may_look, seen = SimpleQueue[bool](), SimpleQueue[LostClaimError | None]()

    def work(run: RunContext) -> None:
        while may_look.get():
            try:
                run.check_cancelled()
            except LostClaimError as error:
                seen.put(error)
                raise
            seen.put(None)

    async def look() -> LostClaimError | None:
        may_look.put(True)  # noqa: FBT003  a queue's
        return await run_sync(seen.get)

    async with instance(far) as one:
        await one.schedule(work, OneTime(clock.moment), id="job")
        await clock.advance(2 * SECOND)
        far.cut = {"*"}
        at_first = await look()
        await clock.advance(TRUST - 1.5 * SECOND)
        before_the_end = await look()
        await clock.advance(2 * SECOND)
        lost = await look()
        may_look.put(False)  # noqa: FBT003  a queue's
        far.cut = set()
        await clock.advance(SECOND)
        await one.unschedule("job")

    assert (at_first, before_the_end) == (None, None)
    assert lost is not None
    assert "token" in str(lost)
    assert lost.fence > 0


class StandsStill(ManualClock):
    """The process stands still, once, between the loop's look at the clock and a thread's."""

    is_still = True

    def monotonic_us(self) -> int:
        is_late = threading.current_thread() is not threading.main_thread()
        if not (is_late and self.is_still):
            return super().monotonic_us()
        self.is_still = False
        return super().monotonic_us() + TRUST // MICROSECOND


async def test_a_plain_handler_that_its_thread_comes_to_too_late_is_not_begun(
    near: MemoryAdapter, instance: Callable[..., Scheduler]
) -> None:
    clock, began = StandsStill(START), list[int]()

    def work(run: RunContext) -> None:
        began.append(run.attempt)

    async with instance(near, clock=clock) as one:
        await one.schedule(work, OneTime(clock.moment), id="job")
        await clock.advance(SECOND)

        run = await the_run(near)

    assert began == [2]
    assert (run.outcome, run.origin) == (Outcome.SUCCEEDED, Origin.RECOVERY)


async def test_a_slow_answer_does_not_stretch_trust(
    far: Far, clock: ManualClock, instance: Callable[..., Scheduler]
) -> None:
    ours = Diary(clock)
    async with instance(far) as one:
        one.handler("work")(ours)
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(0.5 * SECOND)
        far.delays = {"renew": 3 * SECOND}  # asked at 1, answered at 4

        await clock.advance(5 * SECOND)
        far.cut = {"*"}
        await clock.advance(20 * SECOND)

    assert ours.stopped[:1] == [1 * SECOND + TRUST]


async def test_a_lease_is_renewed_at_half_its_length_from_when_it_was_asked_for(
    near: MemoryAdapter,
    far: Far,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
) -> None:
    began = clock.now()
    async with instance(far) as one:
        one.handler("work")(Diary(clock))
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(29.5 * SECOND)
        far.delays = {"renew": 3 * SECOND}  # asked at 30, answered at 33
        await clock.advance(4 * SECOND)
        far.delays = {}
        await clock.advance(28 * SECOND)

        run = await the_run(near)

    assert run.lease_until is not None
    assert run.lease_until >= began + (60 + 60) * 1_000_000


async def test_a_lease_that_is_as_short_as_it_may_be_outlives_our_trust(
    near: MemoryAdapter,
    far: Far,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
) -> None:
    ours, theirs = Diary(clock), Diary(clock)
    short = 10 * SECOND
    async with instance(far, lease=short) as one, instance(near, lease=short) as two:
        one.handler("work")(ours)
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(4.5 * SECOND)
        two.handler("work")(theirs)
        far.cut = {"*"}

        await clock.advance(20 * SECOND)

        assert ours.stopped == [4 * SECOND + TRUST]
        assert theirs.began > ours.stopped


async def test_a_claim_that_was_under_way_for_too_long_is_given_back(
    near: MemoryAdapter,
    far: Far,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
) -> None:
    ours = Diary(clock)
    async with instance(far, lease=10 * SECOND) as one:
        one.handler("work")(ours)
        far.delays = {"commit_plans": 9.5 * SECOND}
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(9 * SECOND)
        first = await the_run(near)
        far.delays = {}

        await clock.advance(3 * SECOND)

        assert first.state is RunState.CLAIMED
        assert len(ours.began) == 1
        assert ours.fences > [first.fence]
        assert (await the_run(near)).attempt == 1


async def test_nothing_is_begun_while_others_may_take_us_for_dead(
    near: MemoryAdapter,
    far: Far,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
) -> None:
    ours = Diary(clock)
    async with instance(far) as one:
        one.handler("work")(ours)
        far.cut = {"renew"}
        await clock.advance(10 * SECOND)
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(SECOND)
        before = [*ours.began]
        far.cut = set()

        await clock.advance(20 * SECOND)

        assert before == []
        assert len(ours.began) == 1
        assert (await the_run(near)).attempt == 1


async def test_a_handler_whose_run_was_taken_over_is_stopped(
    near: MemoryAdapter, clock: ManualClock, instance: Callable[..., Scheduler]
) -> None:
    ours = Diary(clock)
    async with instance(near) as one:
        one.handler("work")(ours)
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(SECOND)
        later = Instant(clock.now() + 3_600_000_000)
        await settle(near, a_release(await the_run(near), ready_at=later))

        await clock.advance(31 * SECOND)

        assert ours.stopped == [30 * SECOND]
        assert (await the_run(near)).state is RunState.READY


async def test_a_store_that_may_lose_a_claim_hears_of_us_as_often_as_it_must(
    near: MemoryAdapter,
    far: Far,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
) -> None:
    ours = Diary(clock)
    far.ahead, far.heartbeat_max = timedelta(), 5 * SECOND
    rare = {"heartbeat": 20 * SECOND, "dead_after": 60 * SECOND, "lease": 300 * SECOND}
    async with instance(far, **rare) as one:
        one.handler("work")(ours)
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(3 * SECOND)
        later = Instant(clock.now() + 3_600_000_000)
        await settle(near, a_release(await the_run(near), ready_at=later))

        await clock.advance(10 * SECOND)

        assert ours.stopped == [5 * SECOND]


async def test_a_run_is_not_taken_back_while_our_handler_has_not_let_go_of_it(
    near: MemoryAdapter, clock: ManualClock, instance: Callable[..., Scheduler]
) -> None:
    """Another took it over and died, before we could stop."""
    began: list[int] = []

    async def stubborn(run: RunContext) -> None:
        began.append(run.fencing_token)
        with anyio.CancelScope(shield=len(began) == 1):
            await clock.sleep(60 * SECOND)

    async with instance(near) as one:
        one.handler("work")(stubborn)
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(0.5 * SECOND)
        await settle(near, a_release(await the_run(near), ready_at=clock.now()))
        await claim(near, instance="gone", now=clock.now())

        await clock.advance(59 * SECOND)
        meanwhile = [*began]
        await clock.advance(5 * SECOND)

        assert len(meanwhile) == 1
        assert len(began) == 2


async def test_a_server_whose_clock_was_set_forward_ends_no_claim(
    far: Far, clock: ManualClock, instance: Callable[..., Scheduler]
) -> None:
    far.ahead = timedelta()
    ours = Diary(clock)
    async with instance(far) as one, instance(far) as two:
        for each in (one, two):
            each.handler("work")(ours)
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(2.5 * SECOND)

        far.ahead = timedelta(hours=1)
        await clock.advance(20 * SECOND)

        assert (len(ours.began), ours.stopped) == (1, [])
        assert "instance_died" not in await kinds(two)


async def test_who_is_not_heard_judges_nobody(
    near: MemoryAdapter,
    far: Far,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
) -> None:
    left = a_run(
        state=RunState.CLAIMED,
        instance="gone",
        scheduled=clock.now(),
        lease_until=Instant(clock.now() + 3_600_000_000),
    )
    async with instance(far):
        far.cut = {"renew"}
        await put(near, a_job())
        await insert(near, left)
        await clock.advance(5 * SECOND)
        before = await read_run(near)
        far.cut = set()

        await clock.advance(20 * SECOND)

        assert before.state is RunState.CLAIMED
        assert (await read_run(near)).state is RunState.READY


async def test_the_dead_are_found_when_they_are_dead_not_with_the_next_heartbeat(
    near: MemoryAdapter, clock: ManualClock, instance: Callable[..., Scheduler]
) -> None:
    async with instance(near):
        await clock.advance(0.3 * SECOND)
        await beat(near, "gone", now=clock.now())
        left = a_run(
            state=RunState.CLAIMED,
            instance="gone",
            scheduled=clock.now(),
            lease_until=Instant(clock.now() + 60_000_000),
        )
        await put(near, a_job())
        await insert(near, left)

        await clock.advance(10 * SECOND)
        before = await read_run(near)
        await clock.advance(MICROSECOND)

        assert before.state is RunState.CLAIMED
        assert (await read_run(near)).state is RunState.READY


async def test_what_several_decide_about_the_dead_at_a_time_is_told_once(
    near: MemoryAdapter,
    far: Far,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
) -> None:
    farther = Far(near, clock)
    async with instance(far) as one, instance(farther) as other:
        far.delays, farther.delays = {"settle": 4 * SECOND}, {"renew": SECOND}
        await beat(near, "gone", now=clock.now())
        await put(near, a_job())
        await insert(
            near, a_run(state=RunState.CLAIMED, instance="gone", scheduled=clock.now())
        )

        await clock.advance(15 * SECOND)
        far.delays = farther.delays = {}
        await clock.advance(5 * SECOND)

        told = Counter(await kinds(one))
        found = [each._core("found").found for each in (one, other)]
        assert (told["run_recovered"], told["run_fenced"]) == (1, 0)
        assert sum(found, Counter()) == {"runs taken up again": 1}


async def test_what_the_dead_left_of_a_job_that_was_removed_is_not_repeated(
    near: MemoryAdapter, clock: ManualClock, instance: Callable[..., Scheduler]
) -> None:
    async with instance(near):
        await beat(near, "gone", now=clock.now())
        await put(near, a_job(policies=Policies(on_lost=OnLost.FAIL)))
        await insert(
            near, a_run(state=RunState.CLAIMED, instance="gone", scheduled=clock.now())
        )
        await near.drop_jobs(["job"], now=clock.now())

        await clock.advance(11 * SECOND)

        assert (await read_run(near)).outcome is Outcome.LOST


async def test_who_slept_gives_others_the_time_to_wake_before_it_judges_them(
    near: MemoryAdapter,
    far: Far,
    clock: ManualClock,
    instance: Callable[..., Scheduler],
) -> None:
    """The machine was suspended: everybody's last heartbeat and lease lie far back."""
    theirs = Diary(clock)
    async with instance(near) as first, instance(far) as one, instance(near) as last:
        one.handler("work")(theirs)
        await one.schedule("work", OneTime(clock.moment), id="job")
        await clock.advance(SECOND)

        far.delays = {"renew": SECOND}
        clock.jump(timedelta(hours=8))
        await clock.advance(20 * SECOND)

        assert (len(theirs.began), theirs.stopped) == (1, [])
        assert "instance_died" not in await kinds(first)
        assert len(await last.instances()) == 3


async def test_who_slept_takes_over_from_those_who_do_not_wake(
    near: MemoryAdapter, clock: ManualClock, instance: Callable[..., Scheduler]
) -> None:
    left = a_run(
        state=RunState.CLAIMED,
        instance="gone",
        scheduled=clock.now(),
        lease_until=Instant(clock.now() + 60_000_000),
    )
    async with instance(near):
        clock.jump(timedelta(hours=8))
        await clock.run_until_idle()
        await put(near, a_job())
        await insert(near, left)

        await clock.advance(11 * SECOND)

        assert (await read_run(near)).state is RunState.READY
