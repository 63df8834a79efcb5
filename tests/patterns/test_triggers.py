"""Triggers: what is fired once reaches every subscriber once, whoever is alive."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from nvent_sched import Interval, OneTime, Retry, RunContext, Scheduler
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.errors import (
    TriggerClosedError,
    UnknownTriggerError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from nvent_sched._model.claims import DueJob
    from nvent_sched.testing import ManualClock
    from tests.patterns.conftest import Gathering, Stores

    Gathered = Callable[[], AbstractAsyncContextManager[Gathering]]

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def heard() -> list[Any]:
    """What subscribers heard, in order."""
    return []


def subscribe(scheduler: Scheduler, trigger: str, heard: list[Any]) -> None:
    """Subscribe one that notes what it hears."""

    @scheduler.on(trigger)
    async def listen(payload: object) -> None:
        heard.append(payload)


async def test_each_subscriber_has_a_run_of_its_own_with_its_own_retries(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    scheduler.trigger("order")

    @scheduler.on("order")
    def mail(payload: dict[str, int]) -> None:
        heard.append(("mail", payload))

    @scheduler.on("order", retry=Retry(attempts=2, delay=SECOND))
    async def bill(run: RunContext, payload: dict[str, int]) -> None:
        heard.append(("bill", payload, run.attempt))
        raise LookupError

    fire = await scheduler.fire("order", {"id": 7})
    await clock.advance(5 * SECOND)

    assert sorted(heard, key=str) == sorted(
        [("mail", {"id": 7}), ("bill", {"id": 7}, 1), ("bill", {"id": 7}, 2)], key=str
    )
    assert (await scheduler.wait_for(fire)).result == {"delivered": 2, "skipped": 0}
    (mailed,) = await scheduler.runs("on:order:mail")
    (billed,) = await scheduler.runs("on:order:bill")
    assert (mailed.outcome, mailed.origin) == ("succeeded", "trigger")
    assert (billed.outcome, billed.attempt) == ("failed", 2)
    (seen,) = await scheduler.triggers()
    assert seen.subscribers == ("bill", "mail")
    assert (seen.fired, seen.delivered, seen.failed) == (1, 1, 1)
    assert seen.last_fired_at == clock.moment - 5 * SECOND
    assert (await scheduler.check()).findings == ()


async def test_a_schedule_fires_as_well_as_a_hand(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    scheduler.trigger("tick", Interval(minutes=1))
    subscribe(scheduler, "tick", heard)
    await clock.advance(2 * MINUTE)
    await scheduler.fire("tick", "by hand")
    await clock.advance(MINUTE)

    assert heard == [None, None, "by hand", None]
    (seen,) = await scheduler.triggers()
    assert seen.schedule is not None
    assert seen.next_time == clock.moment + MINUTE


async def test_a_trigger_can_be_fired_by_hand_after_its_schedule_is_over(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    scheduler.trigger("once", OneTime(in_=SECOND))
    subscribe(scheduler, "once", heard)
    await clock.advance(MINUTE)
    await scheduler.fire("once", "again")
    await clock.advance(SECOND)

    assert heard == [None, "again"]


async def test_what_takes_no_payload_is_called_without(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    scheduler.trigger("t")

    @scheduler.on("t")
    async def bare() -> None:
        heard.append("bare")

    @scheduler.on("t")
    async def only_run(run: RunContext) -> None:
        heard.append(run.job_id)

    await scheduler.fire("t", {"much": 1})
    await clock.advance(SECOND)

    assert sorted(heard) == ["bare", "on:t:only_run"]


async def test_one_idempotency_key_fires_once(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    scheduler.trigger("t")
    subscribe(scheduler, "t", heard)
    first = await scheduler.fire("t", 1, idempotency_key="k")
    await clock.advance(SECOND)
    second = await scheduler.fire("t", 2, idempotency_key="k")
    await clock.advance(SECOND)

    assert first.id == second.id
    assert heard == [1]


async def test_fires_are_delivered_in_their_order_however_many_wait(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    scheduler.trigger("t")
    gate = anyio.Event()

    @scheduler.on("t")
    async def slow(payload: int) -> None:
        await gate.wait()
        heard.append(payload)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(scheduler.fire, "t", "at once")
    for number in range(20):
        await scheduler.fire("t", number)
        await clock.advance(SECOND / 100)
    gate.set()
    await clock.advance(MINUTE)

    assert heard == ["at once"] * 20 + list(range(20))


class OneByOne(MemoryAdapter):
    """A store that tells what is known of jobs only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = anyio.Semaphore(0)

    async def read_facts(self, job_ids: Sequence[str]) -> tuple[DueJob, ...]:
        await self.turns.acquire()
        return await super().read_facts(job_ids)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_fire_is_stored_although_another_caller_gives_up(
    clock: ManualClock, gathered: Gathered
) -> None:
    store = OneByOne()
    clock.patience = 0.02
    async with Scheduler(store, clock=clock) as scheduler, gathered() as tasks:
        scheduler.trigger("t")
        fires = [partial(scheduler.fire, "t", number) for number in range(4)]
        gives_up = anyio.CancelScope()

        async def one_that_gives_up() -> None:
            with gives_up:
                await fires[2]()

        # Of those that wait while the first is stored, the second gives up when both
        # are in one batch, and one more has come.
        for fire in (fires[0], fires[1], one_that_gives_up):
            tasks.add(fire)
            await clock.run_until_idle()
        store.turns.release()
        await clock.run_until_idle()
        tasks.add(fires[3])
        await clock.run_until_idle()
        gives_up.cancel()
        await clock.run_until_idle()
        for _ in range(2):
            store.turns.release()
            await clock.run_until_idle()

        (seen,) = await scheduler.triggers()
    assert [each for each in tasks.ended if isinstance(each, Exception)] == []
    assert seen.fired == 4


async def test_what_does_not_fit_a_subscribers_queue_is_recorded(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    scheduler.trigger("t")
    gate = anyio.Event()

    @scheduler.on("t", max_buffered=2)
    async def slow(payload: int) -> None:
        del payload
        await gate.wait()

    for number in range(5):
        await scheduler.fire("t", number)
        await clock.run_until_idle()
    gate.set()
    await clock.advance(SECOND)

    outcomes = [run.outcome for run in await scheduler.runs("on:t:slow")]
    assert sorted(map(str, outcomes)) == ["skipped_overlap"] * 2 + ["succeeded"] * 3
    (seen,) = await scheduler.triggers()
    assert (seen.fired, seen.delivered, seen.skipped) == (5, 3, 2)


async def test_fires_without_a_subscriber_are_kept_for_the_first_one(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    scheduler.trigger("t")
    for number in range(3):
        await scheduler.fire("t", number)
    await clock.advance(SECOND)
    kept = (await scheduler.triggers()).items[0]
    subscribe(scheduler, "t", heard)
    await clock.advance(SECOND)
    later: list[Any] = []

    @scheduler.on("t")
    async def second(payload: object) -> None:
        later.append(payload)

    await clock.advance(SECOND)
    await scheduler.fire("t", 3)
    await clock.advance(SECOND)

    assert (kept.fired, kept.subscribers) == (3, ())
    assert heard == [0, 1, 2, 3]
    assert later == [3], "what was kept has been handed on"


async def test_a_subscriber_that_starts_later_hears_what_was_fired_meanwhile(
    stores: Stores, clock: ManualClock, heard: list[Any]
) -> None:
    async with stores.scheduler() as first:
        first.trigger("t")
        subscribe(first, "t", heard)
        await first.fire("t", "both alive")
        await clock.advance(SECOND)
    async with stores.scheduler() as without:
        await without.fire("t", "nobody there")
        await clock.advance(MINUTE)
        (waiting,) = await without.runs("on:t:listen", state="ready")
    again = stores.adapter()
    async with stores.scheduler(again) as back:
        subscribe(back, "t", heard)
        await clock.advance(SECOND)

    assert waiting.args == ("nobody there",)
    assert heard == ["both alive", "nobody there"]


async def test_a_paused_trigger_is_silent_and_refuses_to_be_fired(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    scheduler.trigger("tick", Interval(minutes=1))
    subscribe(scheduler, "tick", heard)
    await clock.advance(MINUTE)
    paused = await scheduler.pause_trigger("tick", reason="rain")
    with pytest.raises(TriggerClosedError, match=r"paused \(rain\).*resume_trigger"):
        await scheduler.fire("tick")
    await clock.advance(3 * MINUTE)
    (seen,) = await scheduler.triggers()
    resumed = await scheduler.resume_trigger("tick")
    await scheduler.fire("tick", "again")
    await clock.advance(MINUTE)

    assert (paused, seen.state, seen.note, resumed) == (True, "paused", "rain", True)
    assert heard == [None, "again", None]


async def test_a_trigger_can_begin_paused_and_a_restart_does_not_pause_it_again(
    stores: Stores, clock: ManualClock
) -> None:
    states: list[str] = []
    for _ in range(2):
        async with stores.scheduler() as scheduler:
            scheduler.trigger("t", Interval(minutes=1), enabled=False)
            await clock.advance(MINUTE)
            (seen,) = await scheduler.triggers()
            states.append(seen.state)
            await scheduler.resume_trigger("t")

    assert states == ["paused", "active"]


async def test_the_last_of_several_declarations_of_a_trigger_counts(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    subscribe(scheduler, "t", heard)
    for minutes in (1, 2, 3):
        scheduler.trigger("t", Interval(minutes=minutes))
    await clock.advance(3 * MINUTE)

    assert heard == [None]


async def test_a_retired_trigger_stays_so_although_the_code_declares_it(
    stores: Stores, clock: ManualClock, heard: list[Any]
) -> None:
    async with stores.scheduler() as scheduler:
        scheduler.trigger("t", Interval(minutes=1))
        subscribe(scheduler, "t", heard)
        await clock.advance(MINUTE)
        first, second = (
            await scheduler.retire_trigger("t"),
            await scheduler.retire_trigger("t"),
        )
    async with stores.scheduler() as scheduler:
        scheduler.trigger("t", Interval(minutes=1))
        await clock.advance(3 * MINUTE)
        (seen,) = await scheduler.triggers()
        with pytest.raises(TriggerClosedError, match="retired"):
            await scheduler.fire("t")
        await scheduler.unschedule("trigger:t")
        scheduler.trigger("t")
        anew = await scheduler.fire("t")

    assert (first, second) == (True, False)
    assert (seen.state, seen.fired) == ("retired", 1)
    assert heard == [None]
    assert anew.state != "finished"


async def test_a_paused_subscription_gets_a_record_of_what_it_missed(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    scheduler.trigger("t")
    subscribe(scheduler, "t", heard)
    await scheduler.fire("t", 1)
    await clock.advance(SECOND)
    await scheduler.pause("on:t:listen")
    await scheduler.fire("t", 2)
    await clock.advance(SECOND)
    await scheduler.resume("on:t:listen")
    await scheduler.fire("t", 3)
    await clock.advance(SECOND)

    assert heard == [1, 3]
    (missed,) = await scheduler.runs("on:t:listen", outcome="missed")
    assert missed.reason == "the subscription was paused"


async def test_a_trigger_whose_name_begins_with_anothers_is_another(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    for name in ("a", "a:b"):
        scheduler.trigger(name)

        @scheduler.on(name, id="c")
        async def listen(payload: object) -> None:
            heard.append(payload)

    await scheduler.fire("a", "for a")
    await clock.advance(SECOND)

    assert heard == ["for a"]
    assert [each.subscribers for each in await scheduler.triggers()] == [("c",), ("c",)]


async def test_a_day_of_silence_neither_ends_nor_forgets_a_trigger(
    scheduler: Scheduler, clock: ManualClock, heard: list[Any]
) -> None:
    scheduler.trigger("t")
    subscribe(scheduler, "t", heard)
    await clock.run_until_idle()
    clock.jump(timedelta(days=40))
    await clock.advance(SECOND)
    await scheduler.fire("t", "still here")
    await clock.advance(SECOND)

    assert heard == ["still here"]
    assert (await scheduler.check()).findings == ()


async def test_what_cannot_be_fired_is_refused(scheduler: Scheduler) -> None:
    scheduler.trigger("t")

    with pytest.raises(UnknownTriggerError, match="nobody"):
        await scheduler.fire("nobody")
    with pytest.raises(UnknownTriggerError, match="nobody"):
        await scheduler.pause_trigger("nobody")
    with pytest.raises(UsageError, match="32768 bytes"):
        await scheduler.fire("t", "x" * 40_000)
    with pytest.raises(UsageError, match="JSON"):
        await scheduler.fire("t", object())


async def test_what_cannot_subscribe_is_refused(scheduler: Scheduler) -> None:
    async def needs_two(one: int, two: int) -> None: ...

    with pytest.raises(UsageError, match="cannot be called"):
        scheduler.on("t")(needs_two)
    with pytest.raises(UsageError, match="no schedule"):
        scheduler.on("t", jitter=SECOND)
