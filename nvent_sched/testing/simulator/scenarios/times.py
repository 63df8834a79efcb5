"""Time: clocks that are set, what is due all at once or hardly ever, and what was missed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from nvent_sched._model.instants import SECOND_US, instant_from
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.schedules import Interval
from nvent_sched.testing.simulator.expecting import (
    both,
    each_began_once,
    executed_at,
    executed_at_most,
    no_attempt_was_lost,
)
from nvent_sched.testing.simulator.scenarios.building import (
    Scenario,
    at,
    every,
    on_one_machine,
    world,
)
from nvent_sched.testing.simulator.timeline import BEGIN
from nvent_sched.testing.simulator.worlds import Kind, SimulatedJob, World

QUICK: Final = tuple(
    SimulatedJob(id=f"job{n}", schedule=Interval(seconds=5), length_us=0)
    for n in range(40)
)
LEAP_DAY: Final = instant_from(datetime(2028, 2, 29, tzinfo=UTC))

TIMES: Final[dict[str, Scenario]] = {
    "f4-all-at-once": Scenario(
        about="Everything is due at the same second, and there are few slots.",
        world=World(seed=1, offsets_us=(0, 0), jobs=QUICK, slots=2),
    ),
    "f6-machine-slept": Scenario(
        about="A laptop sleeps for an hour: the wall clock jumps, all was missed.",
        world=on_one_machine(
            at(10.5, Kind.JUMP, amount=3_600 * SECOND_US), jobs=(every(),)
        ),
        expect=no_attempt_was_lost,
    ),
    "f7-clock-set-back": Scenario(
        about="The clock goes back, and what ran is run again, or a loop never ends.",
        world=on_one_machine(
            at(20.2, Kind.JUMP, amount=-15 * SECOND_US), jobs=(every(),)
        ),
        expect=each_began_once,
    ),
    "f8-clock-set-forward": Scenario(
        about="The clock goes forward by a day, and a day of jobs fires.",
        world=on_one_machine(
            at(10, Kind.JUMP, amount=86_400 * SECOND_US),
            jobs=(every(misfire="all", max_catch_up=3, overlap="buffer_all"),),
        ),
        expect=executed_at_most(40),
    ),
    "f13-killed-between-run-and-next": Scenario(
        about="The next occurrence is made by the run before, which did not live to.",
        world=world(
            *(at(3 * n, Kind.KILL_AT_CALL, amount=n % 9 + 1) for n in range(1, 12)),
            hosts=1,
        ),
    ),
    "f15-more-missed-than-can-be-listed": Scenario(
        about="Too many were missed, and the job never runs again.",
        world=World(
            seed=1,
            offsets_us=(0,),
            jobs=(every(seconds=0.04),),
            troubles=(at(1.01, Kind.CUT, -1), at(45, Kind.MEND, -1)),
            calm_us=15 * SECOND_US,
        ),
    ),
    "f23-a-time-that-hardly-ever-comes": Scenario(
        about="The next time is years away: the search ends too soon, or never.",
        world=on_one_machine(
            at(5, Kind.RUN_NOW, 1),
            at(10, Kind.JUMP, amount=LEAP_DAY - BEGIN - 15 * SECOND_US),
            jobs=(
                every(),
                SimulatedJob(id="leap", schedule=Cron("0 0 29 2 *")),
            ),
        ),
        expect=both(executed_at("leap", LEAP_DAY), each_began_once),
    ),
}
"""By name: F and the number of the class, then what happens."""
