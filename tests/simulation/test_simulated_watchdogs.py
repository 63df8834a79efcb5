"""Watchdogs of simulated programs: a silence raises one alarm, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvent_sched._model.instants import SECOND_US
from nvent_sched._rules.schedules import Interval
from nvent_sched.patterns import Watchdog
from nvent_sched.testing.checker import Wrong
from nvent_sched.testing.simulator import (
    Kind,
    SimulatedJob,
    Trouble,
    World,
    draw_world,
    simulate_world,
)
from nvent_sched.testing.simulator.patterns import Patterns, SimulatedWatchdog

if TYPE_CHECKING:
    from nvent_sched.testing.simulator import Ending

FLOW = SimulatedWatchdog(key="flow")
LEFT = replace(FLOW, is_left=True)
FINE = replace(FLOW, silent_us=0)


def simulated(dog: SimulatedWatchdog, *troubles: Trouble) -> Ending:
    world = World(
        seed=1,
        offsets_us=(0,),
        jobs=(SimulatedJob(id="job", schedule=Interval(seconds=9)),),
        troubles=troubles,
        patterns=Patterns(watchdogs=(dog,)),
    )
    return simulate_world(world)


def alarms_in(ending: Ending) -> int:
    return sum("host0 hears an alarm" in line for line in ending.log)


def wrongs(ending: Ending) -> set[Wrong]:
    return {violation.wrong for violation in ending.report.violations}


def test_seeds_draw_watchdogs() -> None:
    drawn = [draw_world(seed).patterns.watchdogs for seed in range(200)]

    assert sum(map(bool, drawn)) > 15


@pytest.mark.parametrize(
    ("dog", "alarms"),
    [(FINE, 0), (FLOW, 1), (replace(FINE, is_left=True), 1), (LEFT, 2)],
    ids=["fine", "silent", "left", "silent and left"],
)
def test_each_silence_raises_one_alarm(dog: SimulatedWatchdog, alarms: int) -> None:
    ending = simulated(dog)

    assert ending.report.violations == ()
    assert alarms_in(ending) == alarms


def test_work_that_is_killed_again_and_again_raises_its_alarms() -> None:
    kills = (Trouble(at_us=at * SECOND_US, kind=Kind.KILL) for at in (2, 5, 9, 14))

    ending = simulated(LEFT, *kills)

    assert ending.report.violations == ()
    assert alarms_in(ending) > 1


def test_signs_that_come_to_nothing_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watchdog, "beat", lambda _: None)

    assert wrongs(simulated(FINE)) == {Wrong.COUNTERS}


def test_alarms_that_are_not_raised_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nvent_sched._rules.watching.timeout_us_of", lambda _: 10**12)

    found = wrongs(simulated(LEFT))

    assert {Wrong.COUNTERS, Wrong.MISSING, Wrong.INCOMPLETE} <= found


def test_an_alarm_that_is_about_nothing_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nvent_sched._rules.watching.timeout_us_of", lambda _: 10**7)

    assert Wrong.EXTRA in wrongs(simulated(LEFT))
