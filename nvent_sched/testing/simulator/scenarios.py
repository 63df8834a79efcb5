"""Known ways in which schedulers fail, by name, as worlds that must come to a good end.

Each is something that has bitten other schedulers; the text says what. The checker judges
every one of them; where a scenario has an expectation of its own, that is asked as well.
What no simulation of ours can show is tested elsewhere: clock changes of a zone (F5) by
the cron rules, bounded history (F10) and losses of power (F24) by the adapters, eviction,
lost scripts and expiring keys (F20 to F22) by the tests of the adapter for Redis.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import SECOND_US, Instant, moment_from
from nvent_sched._model.runs import Outcome
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched.errors import UsageError
from nvent_sched.testing.faulty import Fault, Scripted
from nvent_sched.testing.simulator.expecting import (
    all_well,
    each_began_once,
    ended_as,
    executed_at_most,
    few_were_lost_late,
    no_attempt_was_lost,
    nobody_found_dead,
    said,
)
from nvent_sched.testing.simulator.running import Ending, simulate_world
from nvent_sched.testing.simulator.seeds import Seen, problems_of
from nvent_sched.testing.simulator.timeline import BEGIN
from nvent_sched.testing.simulator.worlds import Kind, SimulatedJob, Trouble, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvent_sched.testing.simulator.expecting import Expectation


def _at(seconds: float, kind: Kind, who: int = 0, *, amount: int = 0) -> Trouble:
    return Trouble(at_us=round(seconds * SECOND_US), kind=kind, who=who, amount=amount)


def _job(job_id: str = "job", seconds: float = 2, **options: object) -> SimulatedJob:
    return SimulatedJob(id=job_id, schedule=Interval(seconds=seconds), options=options)


def _long(seconds: int, **options: object) -> SimulatedJob:
    """One run that takes about so long."""
    schedule = OneTime(moment_from(Instant(BEGIN + 2 * SECOND_US)))
    length_us = seconds * SECOND_US
    return SimulatedJob(
        id="long", schedule=schedule, options=options, length_us=length_us
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A known failure, and the world in which it would happen.

    Attributes:
        about: What failed, and whom it has bitten.
        world: Where it would happen.
        faults: By host: what is wrong with which of its calls.
        expect: What must be so beside what the checker judges; None if it is.
    """

    about: str
    world: World
    faults: Mapping[int, Mapping[tuple[str, int], Fault]] = field(default_factory=dict)
    expect: Expectation = all_well


def _world(
    *troubles: Trouble, jobs: tuple[SimulatedJob, ...] = (_job(),), hosts: int = 2
) -> World:
    return World(seed=1, offsets_us=(0,) * hosts, jobs=jobs, troubles=troubles)


def _on_one_machine(*troubles: Trouble, jobs: tuple[SimulatedJob, ...]) -> World:
    return World(seed=1, has_own_clock=False, jobs=jobs, troubles=troubles)


FIVE_MINUTES_US: Final = 300 * SECOND_US
QUICK: Final = tuple(
    SimulatedJob(id=f"job{n}", schedule=Interval(seconds=5), length_us=0)
    for n in range(40)
)

SCENARIOS: Final[dict[str, Scenario]] = {
    "f1-clocks-minutes-apart": Scenario(
        about="A lock that is free again before the slower clock's timer fires: twice.",
        world=World(
            seed=1,
            offsets_us=(-FIVE_MINUTES_US, 0, FIVE_MINUTES_US),
            jobs=(SimulatedJob(id="job", schedule=Interval(seconds=1), length_us=0),),
        ),
        expect=each_began_once,
    ),
    "f2-paused-past-its-lease": Scenario(
        about="A process stopped for longer than its lease wakes up and writes.",
        world=_world(
            _at(0, Kind.FREEZE, 1),
            _at(1, Kind.THAW, 1),
            _at(4, Kind.FREEZE),
            _at(4, Kind.RUN_NOW),
            _at(34, Kind.THAW),
            jobs=(_long(60),),
        ),
        expect=said("host0.1 settle", "Stale"),
    ),
    "f3-failover-loses-the-last-writes": Scenario(
        about="A replica takes over that never heard of the last claims.",
        world=_world(
            _at(10, Kind.REMEMBER),
            _at(12, Kind.FAIL_OVER),
            jobs=(_job(seconds=1),),
        ),
        expect=few_were_lost_late,
    ),
    "f4-all-at-once": Scenario(
        about="Everything is due at the same second, and there are few slots.",
        world=World(seed=1, offsets_us=(0, 0), jobs=QUICK, slots=2),
    ),
    "f6-machine-slept": Scenario(
        about="A laptop sleeps for an hour: the wall clock jumps, all was missed.",
        world=_on_one_machine(
            _at(10.5, Kind.JUMP, amount=3_600 * SECOND_US), jobs=(_job(),)
        ),
        expect=no_attempt_was_lost,
    ),
    "f7-clock-set-back": Scenario(
        about="The clock goes back, and what ran is run again, or a loop never ends.",
        world=_on_one_machine(
            _at(20.2, Kind.JUMP, amount=-15 * SECOND_US), jobs=(_job(),)
        ),
        expect=each_began_once,
    ),
    "f8-clock-set-forward": Scenario(
        about="The clock goes forward by a day, and a day of jobs fires.",
        world=_on_one_machine(
            _at(10, Kind.JUMP, amount=86_400 * SECOND_US),
            jobs=(_job(misfire="all", max_catch_up=3, overlap="buffer_all"),),
        ),
        expect=executed_at_most(40),
    ),
    "f9-poison": Scenario(
        about="A handler takes its process with it, wherever it is run.",
        world=_world(
            _at(30, Kind.MEND),
            jobs=(
                SimulatedJob(
                    id="poison",
                    schedule=OneTime(moment_from(Instant(BEGIN + SECOND_US))),
                    killing=100,
                ),
                _job(),
            ),
        ),
        expect=ended_as(Outcome.DEAD_LETTERED),
    ),
    "f11-handler-missing-here": Scenario(
        about="During a deploy one instance does not know the handler yet.",
        world=World(
            seed=1, offsets_us=(0, 0), jobs=(_job(),), strangers=frozenset({0})
        ),
        expect=no_attempt_was_lost,
    ),
    "f13-killed-between-run-and-next": Scenario(
        about="The next occurrence is made by the run before, which did not live to.",
        world=_world(
            *(_at(3 * n, Kind.KILL_AT_CALL, amount=n % 9 + 1) for n in range(1, 12)),
            hosts=1,
        ),
    ),
    "f14-a-decision-that-came-late": Scenario(
        about="A decides, B does it and is done; A's write finds the state it expected.",
        world=_world(_at(20, Kind.MEND), jobs=(_job(seconds=1),)),
        faults={0: {("commit_plans", n): Fault.DELAYED for n in range(1, 30)}},
        expect=said("host0.1 commit_plans", "stale"),
    ),
    "f15-more-missed-than-can-be-listed": Scenario(
        about="Too many were missed, and the job never runs again.",
        world=World(
            seed=1,
            offsets_us=(0,),
            jobs=(_job(seconds=0.04),),
            troubles=(_at(1.01, Kind.CUT, -1), _at(45, Kind.MEND, -1)),
            calm_us=15 * SECOND_US,
        ),
    ),
    "f16-a-call-that-hangs": Scenario(
        about="A call to the store does not come back, and the scheduler stands still.",
        world=_world(_at(20, Kind.MEND)),
        faults={
            0: {
                (verb, n): Fault.REPLY_LOST
                for verb in ("take_due", "renew", "publish")
                for n in (2, 5, 6)
            }
        },
    ),
    "f18-done-but-reported-as-failed": Scenario(
        about="The store did it, and the caller was told that the time was up.",
        world=_world(_at(30, Kind.MEND), jobs=(_job(misfire="all"), _long(8))),
        faults={
            0: {
                (verb, n): Fault.REPLY_LOST
                for verb in ("commit_plans", "settle", "begin")
                for n in (1, 3, 4)
            }
        },
        expect=no_attempt_was_lost,
    ),
    "f19-the-eldest-goes": Scenario(
        about="Whoever led is gone, and nobody else has the list.",
        world=_world(_at(5, Kind.KILL), _at(10, Kind.STOP), _at(15, Kind.CUT)),
    ),
    "f22-no-hint-arrives": Scenario(
        about="A change is told by a message, and the message is lost.",
        world=World(
            seed=1,
            offsets_us=(0, 0),
            jobs=(_job(),),
            hints_lost=100,
            troubles=(_at(10, Kind.RESCHEDULE, amount=2), _at(20, Kind.RUN_NOW)),
        ),
    ),
    "f25-a-late-observer": Scenario(
        about="Who was paused itself takes everybody else for dead.",
        world=_world(_at(3, Kind.FREEZE, 1), _at(25, Kind.THAW, 1), jobs=(_long(70),)),
        expect=nobody_found_dead("host0"),
    ),
    "f26-slow-but-healthy": Scenario(
        about="A run that takes long is taken for dead, and begun again beside itself.",
        world=_world(jobs=(_long(90),)),
        expect=each_began_once,
    ),
    "f28-edited-by-two": Scenario(
        about="Two change a job at once, and one change is lost with what it meant.",
        world=_world(
            *(
                _at(n // 4, kind, amount=n)
                for n, kind in enumerate(
                    (Kind.PAUSE, Kind.EDIT, Kind.RESUME, Kind.RESCHEDULE) * 10
                )
            ),
            _at(11, Kind.RESUME),
        ),
    ),
    "f29-store-down-for-long": Scenario(
        about="The store is back after minutes: all is due, or nothing ever again.",
        world=_world(
            _at(5, Kind.CUT, -1),
            _at(185, Kind.MEND, -1),
            jobs=(_job(misfire="all", max_catch_up=5), _long(30, on_lost="fail")),
        ),
    ),
    "f30-killed-in-the-reply-to-a-claim": Scenario(
        about="The store gave the claim, and nobody lives who knows of it.",
        world=_world(
            *(_at(4 * n, Kind.KILL_AT_CALL, amount=4 * n + 1) for n in range(1, 10)),
            jobs=(_job(seconds=1), _long(5, on_lost="fail")),
        ),
    ),
}
"""The scenarios by name: F and the number of the class, then what happens."""


def simulate_scenario(name: str) -> tuple[Ending, str | None]:
    """Simulate a scenario; also say what it expected in vain, if anything.

    Raises:
        UsageError: There is none of this name.
    """
    scenario = SCENARIOS.get(name)
    if scenario is None:
        msg = f"there is no scenario {name!r}; there are {', '.join(SCENARIOS)}"
        raise UsageError(msg)
    faults = scenario.faults
    ending = simulate_world(
        scenario.world,
        faults=lambda host: Scripted(faults[host]) if host in faults else None,
    )
    return ending, scenario.expect(ending)


def see_scenario(name: str) -> Seen:
    """Simulate a scenario, and say what became of it."""
    ending, vain = simulate_scenario(name)
    problems = problems_of(ending) + (() if vain is None else (vain,))
    return Seen(
        name=name,
        occurrences=ending.report.occurrences,
        problems=problems,
        again=f"nvent-sched simulate --scenario {name}",
    )
