"""Overlap, misfires, pausing and editing, as a user sees them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from nvent_sched import Cron, Interval, OneTime, Outcome, RunContext, Scheduler
from nvent_sched.adapters import open_adapter
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from nvent_sched import StatsSnapshot
    from nvent_sched.testing import ManualClock

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("overlap", "ended", "skipped"),
    [
        ("skip", [0, 2, 4], 2),
        ("buffer_one", [0, 2, 4], 1),
        ("buffer_all", [0, 2, 4], 0),
        ("allow_all", [0, 1, 2, 3, 4], 0),
    ],
)
async def test_overlap_decides_what_becomes_of_a_run_behind_another(
    scheduler: Scheduler,
    clock: ManualClock,
    overlap: str,
    ended: list[int],
    skipped: int,
) -> None:
    began = clock.moment
    starts: list[datetime] = []

    async def slow() -> None:
        starts.append(clock.moment)
        await clock.sleep(timedelta(seconds=1.5))

    await scheduler.schedule(
        slow, Interval(SECOND, anchor=began + SECOND), id="s", overlap=overlap
    )
    await clock.advance(timedelta(seconds=5.75))

    if overlap in {"skip", "allow_all"}:
        assert starts == [began + SECOND + k * SECOND for k in ended]
    else:
        assert len(starts) == 4
        assert starts[1] - starts[0] == timedelta(seconds=1.5)
    stats = await scheduler.stats("s")
    assert stats.counts.get(Outcome.SKIPPED_OVERLAP, 0) == skipped


async def test_cancel_other_ends_the_earlier_run(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def endless() -> None:
        await clock.sleep(timedelta(days=1))

    await scheduler.schedule(
        endless, Interval(seconds=10), id="e", overlap="cancel_other"
    )
    await clock.advance(timedelta(seconds=25))

    runs = [(run.state, run.outcome) for run in await scheduler.runs("e")]
    assert runs == [("claimed", None), ("finished", "cancelled")]


async def test_a_run_by_hand_leaves_the_schedule_where_it_is(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def note(run: RunContext) -> None:
        calls.append(run.origin)

    await scheduler.schedule(note, Interval(minutes=1), id="n")
    before = (await scheduler.get_job("n")).next_time
    first = await scheduler.run_now("n", idempotency_key="k")
    second = await scheduler.run_now("n", idempotency_key="k")
    await clock.run_until_idle()

    assert first.id == second.id
    assert calls == ["manual"]
    assert (await scheduler.get_job("n")).next_time == before


async def test_what_fell_into_a_pause_is_not_owed(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def note() -> None:
        calls.append("x")

    await scheduler.schedule(note, Interval(minutes=1), id="n")
    await scheduler.pause("n", reason="holiday")
    await clock.advance(timedelta(minutes=5))
    during = len(calls)
    await scheduler.resume("n")
    await clock.advance(timedelta(seconds=59))

    assert during == 0
    assert len(calls) == 0
    await clock.advance(SECOND)
    assert len(calls) == 1


async def test_a_pause_reaches_a_run_that_was_claimed_ahead(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def note() -> None:
        calls.append("x")

    await scheduler.schedule(note, OneTime(in_=SECOND), id="n")
    await clock.advance(timedelta(milliseconds=900))
    (claimed,) = await scheduler.runs("n")
    await scheduler.unschedule("n")
    await clock.advance(10 * SECOND)

    assert claimed.state == "claimed"
    assert calls == []


async def test_resuming_with_catch_up_runs_one_for_all(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def note() -> None:
        calls.append("x")

    await scheduler.schedule(note, Interval(minutes=10), id="n")
    await scheduler.pause("n")
    await clock.advance(timedelta(minutes=55))
    await scheduler.resume("n", catch_up=True)
    await clock.run_until_idle()

    stats = await scheduler.stats("n")
    assert len(calls) == 1
    assert stats.counts[Outcome.MISSED] == 4


@pytest.mark.parametrize(
    ("misfire", "made_up", "missed"),
    [("latest", 1, 9), ("skip", 0, 10), ("earliest", 1, 9), ("all", 4, 6)],
)
async def test_what_was_missed_while_down_follows_the_misfire_policy(
    tmp_path: Path, clock: ManualClock, misfire: str, made_up: int, missed: int
) -> None:
    adapter = open_adapter(f"sqlite:///{tmp_path}/jobs.db")
    calls: list[str] = []

    async def note() -> None:
        calls.append("x")

    async def start_and_stop() -> StatsSnapshot:
        async with Scheduler(adapter, clock=clock) as scheduler:
            await scheduler.schedule(
                note, Interval(hours=1), id="n", misfire=misfire, max_catch_up=4
            )
            await clock.run_until_idle()
            return await scheduler.stats("n")

    await start_and_stop()
    clock.jump(timedelta(hours=10, minutes=30))
    stats = await start_and_stop()

    assert len(calls) == made_up
    assert stats.counts.get(Outcome.MISSED, 0) == missed


async def test_a_year_of_missed_seconds_is_one_record_and_one_run(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def note() -> None:
        calls.append("x")

    await scheduler.schedule(note, Interval(seconds=1), id="n")
    clock.jump(timedelta(days=365))
    await clock.advance(timedelta(seconds=1))

    (oldest, *_) = [
        run for run in await scheduler.runs("n") if run.outcome is Outcome.MISSED
    ]
    assert oldest.count > 365 * 86_400 - 100
    assert 1 <= len(calls) <= 3


async def test_declaring_the_same_job_again_changes_nothing(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def note() -> None: ...

    first = await scheduler.schedule(note, Interval(minutes=10), id="n")
    await scheduler.pause("n", reason="wait")
    await clock.advance(timedelta(minutes=3))
    second = await scheduler.schedule(note, Interval(minutes=10), id="n")

    assert second.next_time == first.next_time
    assert (second.status, second.note) == ("paused", "wait")


async def test_other_arguments_keep_the_phase_another_schedule_does_not(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def note(word: str) -> None: ...

    first = await scheduler.schedule(note, Interval(minutes=10), id="n", args=["a"])
    await clock.advance(timedelta(minutes=3))
    second = await scheduler.schedule(note, Interval(minutes=10), id="n", args=["b"])
    third = await scheduler.reschedule("n", Interval(minutes=5))

    assert second.next_time == first.next_time
    assert third.next_time == clock.moment + timedelta(minutes=5)
    assert third.args == ("b",)


async def test_in_an_hour_said_again_means_once_more(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def remind() -> None:
        calls.append("x")

    for _ in range(2):
        await scheduler.schedule(remind, OneTime(in_=timedelta(hours=1)), id="r")
        await clock.advance(timedelta(hours=2))

    assert len(calls) == 2


async def test_a_backfill_that_is_asked_for_again_counts_nothing_again(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    began = clock.moment

    async def note() -> None: ...

    await scheduler.schedule(note, Interval(minutes=1), id="n", max_buffered=1)
    await clock.advance(timedelta(minutes=6))
    await scheduler.backfill("n", began, clock.moment)
    await clock.run_until_idle()
    once = await scheduler.stats("n")
    await scheduler.backfill("n", began, clock.moment)
    await clock.run_until_idle()

    assert (once.runs, once.skipped) == (11, 0)
    assert (await scheduler.stats("n")).counts == once.counts


async def test_backfill_runs_each_past_occurrence_once(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    times: list[datetime] = []

    async def note(run: RunContext) -> None:
        times.append(run.scheduled_time)

    began = clock.moment
    await scheduler.schedule(note, Interval(hours=1, anchor=began), id="n")
    await scheduler.pause("n")
    await clock.advance(timedelta(hours=5))
    first = await scheduler.backfill("n", began, clock.moment)
    again = await scheduler.backfill("n", began, clock.moment)
    await clock.run_until_idle()

    assert first == again
    assert times == [began + timedelta(hours=k) for k in range(5)]


async def test_before_what_an_interval_counts_from_there_is_nothing_to_backfill(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    async def note() -> None: ...

    began = clock.moment
    await scheduler.schedule(note, Interval(hours=1), id="interval")
    await scheduler.schedule(note, Cron("0 2 * * *"), id="cron")
    await clock.run_until_idle()

    with pytest.raises(UsageError, match=r"before its first, .* an earlier anchor"):
        await scheduler.backfill("interval", began - timedelta(days=1), began)
    assert await scheduler.backfill("cron", began - timedelta(hours=1), began) == ()


async def test_all_that_is_backfilled_runs_however_much_it_is(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    began = clock.moment

    async def note() -> None: ...

    await scheduler.schedule(note, Interval(SECOND, anchor=began), id="n")
    await scheduler.pause("n")
    await clock.advance(150 * SECOND)
    ids = await scheduler.backfill("n", began, clock.moment)
    await clock.advance(SECOND)

    assert len(ids) == 150
    assert (await scheduler.stats("n")).counts == {"succeeded": 150}


async def test_a_failed_run_can_be_run_once_more(
    scheduler: Scheduler, clock: ManualClock, calls: list[str]
) -> None:
    async def flaky(run: RunContext) -> None:
        calls.append(run.origin)
        if run.origin == "schedule":
            raise ValueError

    await scheduler.schedule(flaky, OneTime(clock.moment), id="f")
    await clock.advance(SECOND)
    (failed,) = await scheduler.runs("f")
    again = await scheduler.retry_run(failed)
    await clock.run_until_idle()

    assert calls == ["schedule", "retry"]
    assert (await scheduler.get_run(again)).outcome == "succeeded"


async def test_history_is_kept_short_and_counters_are_not(
    clock: ManualClock, store: str
) -> None:
    async def note() -> None: ...

    async with Scheduler(store, clock=clock, history_runs=10) as scheduler:
        await scheduler.schedule(note, Interval(seconds=1), id="n")
        await clock.advance(timedelta(seconds=60))
        kept = await scheduler.runs("n")
        stats = await scheduler.stats("n")

    assert stats.runs == 60
    assert len(kept) < 20


async def test_of_what_was_not_run_no_more_is_kept(
    clock: ManualClock, store: str
) -> None:
    async def hang() -> None:
        await clock.sleep(timedelta(days=1))

    async with Scheduler(
        store, clock=clock, history_runs=10, grace=timedelta()
    ) as scheduler:
        await scheduler.schedule(hang, Interval(seconds=1), id="n")
        await clock.advance(timedelta(seconds=60))
        kept = await scheduler.runs("n")
        stats = await scheduler.stats("n")

    assert stats.skipped == 59
    assert len(kept) < 20
