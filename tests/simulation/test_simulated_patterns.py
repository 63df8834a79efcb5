"""Locks, waits and deadlines of simulated programs: used, and judged by what they promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._rules.schedules import Interval
from nvent_sched.adapters.memory.locktable import Hold as StoredHold
from nvent_sched.adapters.memory.locktable import LockTable
from nvent_sched.patterns import awaits
from nvent_sched.patterns.deadlines import StoredDeadline
from nvent_sched.patterns.holds import Hold
from nvent_sched.patterns.records import WaitRecords
from nvent_sched.patterns.waits import Waits
from nvent_sched.testing.checker import Wrong
from nvent_sched.testing.simulator import (
    Kind,
    SimulatedJob,
    Trouble,
    World,
    draw_world,
    simulate_world,
)
from nvent_sched.testing.simulator.keeping import judge_tried
from nvent_sched.testing.simulator.patterns import (
    Patterns,
    SimulatedDeadline,
    SimulatedLock,
    SimulatedWait,
    Tried,
)
from nvent_sched.testing.simulator.timeline import BEGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._model.jobs import Job
    from nvent_sched._model.locks import LockAnswer, LockAsk
    from nvent_sched.testing.simulator import Ending

LOCK = Patterns(locks=(SimulatedLock(name="import", gap_us=SECOND_US),))
LONG = Patterns(
    locks=(SimulatedLock(name="import", length_us=20 * SECOND_US, gap_us=SECOND_US),)
)
WAIT = Patterns(waits=(SimulatedWait(key="grace"),))
DEADLINE = Patterns(
    deadlines=(SimulatedDeadline(key="call", work_us=20 * SECOND_US, failing=0),)
)


def simulated(patterns: Patterns, *troubles: tuple[float, Kind, int]) -> Ending:
    world = World(
        seed=1,
        offsets_us=(0, 60 * SECOND_US),
        jobs=(SimulatedJob(id="job", schedule=Interval(seconds=5)),),
        troubles=tuple(
            Trouble(at_us=round(at * SECOND_US), kind=kind, who=who)
            for at, kind, who in troubles
        ),
        patterns=patterns,
    )
    return simulate_world(world)


def wrongs(ending: Ending) -> set[tuple[Wrong, str]]:
    return {(each.wrong, each.job_id) for each in ending.report.violations}


def test_seeds_draw_locks_waits_and_deadlines() -> None:
    drawn = [draw_world(seed).patterns for seed in range(200)]

    assert sum(bool(each.locks) for each in drawn) > 15
    assert sum(bool(each.waits) for each in drawn) > 15
    assert sum(bool(each.deadlines) for each in drawn) > 15


@pytest.mark.parametrize(
    "patterns", [LOCK, WAIT, DEADLINE], ids=["lock", "wait", "deadline"]
)
def test_what_programs_wait_for_and_have_survives_kills_pauses_and_cuts(
    patterns: Patterns,
) -> None:
    ending = simulated(
        patterns,
        (1.5, Kind.KILL, 0),
        (2.5, Kind.FREEZE, 1),
        (3, Kind.CUT, 0),
        (9, Kind.MEND, 0),
        (12, Kind.THAW, 1),
    )

    assert ending.report.violations == ()
    names = ("has import", "host0.2 call", "grace")
    assert (
        any(name in line for line in ending.log for name in names) or patterns is WAIT
    )


def test_a_lock_that_two_have_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LockTable, "_hold", lambda *_, **__: None)

    assert (Wrong.OVERLAPPING, "lock import") in wrongs(simulated(LOCK))


def test_a_holder_that_does_not_stop_in_time_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Hold, "until_us", 10**12)

    cut = [(at, kind, 0) for at, kind in ((6, Kind.CUT), (20, Kind.MEND))]

    assert wrongs(simulated(LONG, *cut)) == {(Wrong.OVERLAPPING, "lock import")}


def on_one_machine_whose_clock_is_set(seed: int) -> Ending:
    lock = SimulatedLock(name="import", ttl_us=SECOND_US, gap_us=SECOND_US)
    jumps = tuple(
        Trouble(at_us=at * SECOND_US * 7 // 3, kind=Kind.JUMP, amount=3 * SECOND_US)
        for at in range(2, 20)
    )
    world = World(
        seed=seed,
        has_own_clock=False,
        jobs=(SimulatedJob(id="job", schedule=Interval(seconds=5)),),
        troubles=jumps,
        patterns=Patterns(locks=(lock,)),
    )
    return simulate_world(world)


def test_nobody_gets_a_lock_because_the_clock_was_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Who has it notices a quarter of a second later.
    assert not any(wrongs(on_one_machine_whose_clock_is_set(s)) for s in range(3))

    monkeypatch.setattr("nvent_sched.patterns.setclock.NOTICED_US", 0)
    found = [wrongs(on_one_machine_whose_clock_is_set(seed)) for seed in range(3)]
    assert {(Wrong.OVERLAPPING, "lock import")} in found


def test_a_token_that_is_given_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    acquire = LockTable.acquire

    def always_one(
        self: LockTable, ask: LockAsk, *, now: Instant, next_fence: Callable[[], int]
    ) -> LockAnswer:
        return acquire(self, ask, now=now, next_fence=lambda: 0 * next_fence() + 1)

    monkeypatch.setattr(LockTable, "acquire", always_one)

    assert (Wrong.EXTRA, "lock import") in wrongs(simulated(LOCK))


def test_a_lock_that_a_dead_process_keeps_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = LockTable._hold

    def for_ever(self: LockTable, name: str, *, now: Instant) -> StoredHold | None:
        hold = self.holds.get(name)
        return first(self, name, now=min(now, hold.since)) if hold else None

    monkeypatch.setattr(LockTable, "_hold", for_ever)

    ending = simulated(LONG, *((at, Kind.KILL, at % 2) for at in range(1, 8)))

    assert wrongs(ending) == {(Wrong.MISSING, "lock import")}


def test_a_wait_whose_second_time_counts_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep = WaitRecords.keep

    async def anew(self: WaitRecords, job_id: str, *, at: Instant) -> tuple[Job, bool]:
        job, is_first = await keep(self, job_id, at=at)
        return (job, True) if is_first else (await again(self, job_id, at=at), True)

    async def again(self: WaitRecords, job_id: str, *, at: Instant) -> Job:
        await self._core.adapter.drop_jobs([job_id], now=self._core.time.now())
        return (await keep(self, job_id, at=at))[0]

    monkeypatch.setattr(WaitRecords, "keep", anew)

    assert (Wrong.EXTRA, "await:grace") in wrongs(simulated(WAIT))


LATER = Patterns(waits=(SimulatedWait(key="grace", length_us=20 * SECOND_US),))

AWAY = ((2, Kind.FREEZE), (6, Kind.KILL))


def test_a_wait_that_a_user_cancels_ends_at_once_everywhere() -> None:
    ending = simulated(LATER, (3, Kind.GIVE_UP, 0))

    assert ending.report.violations == ()
    told = [line for line in ending.log if "grace is" in line]
    assert [line.split(maxsplit=1)[1] for line in told] == ["grace is cancelled"] * 2


def test_who_is_told_that_a_cancelled_wait_is_over_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(awaits, "cancel_reason_of", lambda _: None)

    # Both hear nothing of it, are killed, and ask again.
    frozen, killed = ([(at, kind, who) for who in (0, 1)] for at, kind in AWAY)
    ending = simulated(LATER, *frozen, (3, Kind.GIVE_UP, 0), *killed)

    assert (Wrong.EXTRA, "await:grace") in wrongs(ending)


def test_a_wait_that_nobody_cancelled_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaits, "cancel_reason_of", lambda _: "no")

    assert wrongs(simulated(WAIT)) == {(Wrong.MISSING, "await:grace")}


def test_a_wait_that_is_only_found_by_looking_is_found_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def asleep(_: Waits) -> int | None:
        return None

    monkeypatch.setattr(Waits, "one_pass", asleep)

    assert wrongs(simulated(WAIT)) == {(Wrong.LATE, "await:grace")}


def test_work_that_goes_on_past_its_deadline_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(StoredDeadline, "_note_end", lambda _: None)

    found = wrongs(simulated(DEADLINE))

    assert {wrong for wrong, _ in found} == {Wrong.LATE}
    assert {job_id for _, job_id in found} <= {
        "deadline:host0 call",
        "deadline:host1 call",
    }


@pytest.mark.parametrize("is_through", [False, True])
def test_a_deadline_that_moved_is_found_unless_its_work_was_done(
    *, is_through: bool
) -> None:
    before = Tried(key="call", host="host0", at=BEGIN, is_through=is_through)
    then = Tried(key="call", host="host0", at=Instant(BEGIN + SECOND_US))

    found = [each.wrong for each in judge_tried([before, then], late_us=None)]

    assert found == ([] if is_through else [Wrong.EXTRA])
