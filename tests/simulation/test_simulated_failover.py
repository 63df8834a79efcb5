"""A failover is drawn by seeds, may lose what was written last, and nothing beyond that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvent_sched._engine.liveness import Liveness
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._rules.schedules import Interval
from nvent_sched.testing.checker import Begun, Wrong
from nvent_sched.testing.simulator import Kind, draw_world, simulate, simulate_world
from nvent_sched.testing.simulator.keeping import judge_repeated
from nvent_sched.testing.simulator.losing import Failover
from nvent_sched.testing.simulator.patterns import (
    Patterns,
    SimulatedLock,
    SimulatedWait,
)
from nvent_sched.testing.simulator.timeline import BEGIN
from nvent_sched.testing.simulator.worlds import SimulatedJob, Trouble, World

if TYPE_CHECKING:
    from nvent_sched.testing.simulator import Ending

LONG = SimulatedJob(id="job", schedule=Interval(seconds=7), length_us=30 * SECOND_US)
LOCK = SimulatedLock(name="lock", length_us=6 * SECOND_US, gap_us=SECOND_US)


def has_failover(world: World) -> bool:
    return any(each.kind is Kind.FAIL_OVER for each in world.troubles)


def failed_over(
    since: float, until: float, patterns: Patterns | None = None, *, seed: int = 1
) -> Ending:
    at = ((since, Kind.REMEMBER), (until, Kind.FAIL_OVER))
    world = World(
        seed=seed,
        jobs=(LONG,),
        troubles=tuple(
            Trouble(at_us=round(seconds * SECOND_US), kind=kind) for seconds, kind in at
        ),
        patterns=patterns or Patterns(),
    )
    return simulate_world(world)


def wrongs(ending: Ending) -> set[Wrong]:
    return {violation.wrong for violation in ending.report.violations}


def test_seeds_draw_a_failover_rarely_and_only_of_a_server() -> None:
    worlds = [draw_world(seed) for seed in range(400)]
    drawn = [world for world in worlds if has_failover(world)]

    assert 10 < len(drawn) < 60
    assert all(world.has_own_clock for world in drawn)


@pytest.mark.parametrize(
    "seed", [seed for seed in range(100) if has_failover(draw_world(seed))][:6]
)
def test_whatever_else_happens_only_what_was_written_last_is_lost(seed: int) -> None:
    assert simulate(seed).report.violations == ()


def test_a_claim_that_was_lost_is_given_again_after_the_quiet_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert failed_over(6.5, 7.5).report.violations == ()

    monkeypatch.setattr("nvent_sched.testing.simulator.store.QUIET_US", 0)
    assert Wrong.OVERLAPPING in wrongs(failed_over(6.5, 7.5))


def cut_off_soon_after(who: int) -> Ending:
    at = ((6.5, Kind.REMEMBER), (7.5, Kind.FAIL_OVER), (11, Kind.CUT), (40, Kind.MEND))
    troubles = tuple(
        Trouble(at_us=round(seconds * SECOND_US), kind=kind, who=who)
        for seconds, kind in at
    )
    return simulate_world(World(seed=1, jobs=(LONG,), troubles=troubles))


def test_an_owner_hears_with_its_next_heartbeat_that_its_claim_was_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not any(wrongs(cut_off_soon_after(who)) for who in range(2))

    monkeypatch.setattr(Liveness, "_questions", lambda *_: [])
    found = [wrongs(cut_off_soon_after(who)) for who in range(2)]
    assert {Wrong.OVERLAPPING} in found


def test_a_lock_that_was_lost_is_given_again_after_the_quiet_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patterns = Patterns(locks=(LOCK,))
    seeds = range(4)
    assert not any(wrongs(failed_over(1, 9, patterns, seed=seed)) for seed in seeds)

    monkeypatch.setattr("nvent_sched.testing.simulator.store.QUIET_US", 0)
    assert any(wrongs(failed_over(1, 9, patterns, seed=seed)) for seed in seeds)


def test_a_wait_that_was_lost_may_have_another_time_and_one_that_was_not_keeps_its() -> (
    None
):
    waits = (
        SimulatedWait(key="known", length_us=9 * SECOND_US),
        SimulatedWait(key="lost", from_us=4 * SECOND_US),
    )
    ending = failed_over(3, 6, Patterns(waits=waits))

    assert ending.report.violations == ()
    assert any("lost is cancelled" in line for line in ending.log)


def test_a_run_whose_end_was_known_and_that_begins_again_is_found() -> None:
    failover = Failover(
        since=BEGIN, at=BEGIN, ended=frozenset({"old"}), jobs_lost=frozenset()
    )
    old, new = (
        Begun(
            job_id="job",
            run_id=run_id,
            fence=1,
            instance="one",
            began_at=Instant(BEGIN + 1),
        )
        for run_id in ("old", "new")
    )

    (found,) = judge_repeated([old, new], failover)

    assert (found.wrong, found.run_id) == (Wrong.EXTRA, "old")
