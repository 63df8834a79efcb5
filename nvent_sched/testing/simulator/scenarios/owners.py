"""Who owns a run: claims, leases, tokens, and decisions that came late."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from nvent_sched._model.instants import SECOND_US, Instant, moment_from
from nvent_sched._model.policies import Retry
from nvent_sched._model.runs import Outcome
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched.testing.faulty import Fault
from nvent_sched.testing.simulator.expecting import (
    both,
    each_began_once,
    ended_as,
    few_were_lost_late,
    no_attempt_was_lost,
    nobody_found_dead,
    said,
)
from nvent_sched.testing.simulator.patterns import Patterns, SimulatedLock
from nvent_sched.testing.simulator.scenarios.building import (
    Scenario,
    at,
    every,
    long,
    world,
)
from nvent_sched.testing.simulator.timeline import BEGIN
from nvent_sched.testing.simulator.worlds import Kind, SimulatedJob, World

STOPS: Final = (Kind.THAW, Kind.FREEZE)
FIVE_MINUTES_US: Final = 300 * SECOND_US

OWNERS: Final[dict[str, Scenario]] = {
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
        world=world(
            at(0, Kind.FREEZE, 1),
            at(3, Kind.THAW, 1),  # the other one has claimed it
            at(4, Kind.FREEZE),
            at(4, Kind.RUN_NOW),
            at(34, Kind.THAW),
            jobs=(long(60),),
        ),
        expect=said("host0.1 settle", "Stale"),
    ),
    "f2-paused-with-a-lock": Scenario(
        about="A process stopped while it had a lock goes on as if it had it still.",
        world=replace(
            world(*(at(4 * n, STOPS[n % 2], n // 2 % 2) for n in range(1, 9))),
            patterns=Patterns(
                locks=(SimulatedLock(name="lock", length_us=9 * SECOND_US),)
            ),
        ),
        expect=both(said("host0.1 lock: LockLost"), said("host1.1 has lock")),
    ),
    "f3-failover-loses-the-last-writes": Scenario(
        about="A replica takes over that never heard of the last claims.",
        world=world(
            at(10, Kind.REMEMBER),
            at(12, Kind.FAIL_OVER),
            jobs=(every(seconds=1),),
        ),
        expect=few_were_lost_late,
    ),
    "f9-poison": Scenario(
        about="A handler takes its process with it, wherever it is run.",
        world=world(
            at(30, Kind.MEND),
            jobs=(
                SimulatedJob(
                    id="poison",
                    schedule=OneTime(moment_from(Instant(BEGIN + SECOND_US))),
                    killing=100,
                ),
                every(),
            ),
        ),
        expect=ended_as(Outcome.DEAD_LETTERED),
    ),
    "f14-a-decision-that-came-late": Scenario(
        about="A decides, B does it and is done; A's write finds the state it expected.",
        world=world(at(20, Kind.MEND), jobs=(every(seconds=1),)),
        faults={0: {("commit_plans", n): Fault.DELAYED for n in range(1, 30)}},
        expect=said("host0.1 commit_plans", "stale"),
    ),
    "f17-renewed-too-late-to-try-again": Scenario(
        about="A lease is renewed as it ends: the first renewal that fails loses it.",
        world=world(at(40, Kind.MEND), jobs=(long(90),), hosts=3),
        faults={
            n: {
                ("renew", call): Fault.FAILS_BEFORE
                for call in range(2, 60)
                if call % 3 == n % 2
            }
            for n in range(3)
        },
        expect=both(no_attempt_was_lost, each_began_once),
    ),
    "f19-the-eldest-goes": Scenario(
        about="Whoever led is gone, and nobody else has the list.",
        world=world(at(5, Kind.KILL), at(10, Kind.STOP), at(15, Kind.CUT)),
    ),
    "f25-a-late-observer": Scenario(
        about="Who was paused itself takes everybody else for dead.",
        world=world(at(3, Kind.FREEZE, 1), at(25, Kind.THAW, 1), jobs=(long(70),)),
        expect=nobody_found_dead("host0"),
    ),
    "f26-slow-but-healthy": Scenario(
        about="A run that takes long is taken for dead, and begun again beside itself.",
        world=world(jobs=(long(90),)),
        expect=each_began_once,
    ),
    "f27-taken-and-not-put-back": Scenario(
        about="What is due is taken out of one place, and put into the next a step later.",
        world=world(
            *(
                at(n, Kind.KILL_AT_CALL, n % 2, amount=n % 13 + 1)
                for n in range(2, 40, 2)
            ),
            jobs=(
                every(seconds=1, overlap="buffer_all", misfire="all"),
                every("flaky", 3, retry=Retry(attempts=9)),
            ),
        ),
        faults={
            n: {
                (verb, call): Fault.FAILS_AFTER
                for verb in ("take_due", "take_lost", "begin", "settle")
                for call in range(1 + n, 40, 3)
            }
            for n in range(2)
        },
        expect=both(said("take_lost", "host0."), said("take_lost", "host1.")),
    ),
    "f28-edited-by-two": Scenario(
        about="Two change a job at once, and one change is lost with what it meant.",
        world=world(
            *(
                at(n // 4, kind, amount=n)
                for n, kind in enumerate(
                    (Kind.PAUSE, Kind.EDIT, Kind.RESUME, Kind.RESCHEDULE) * 10
                )
            ),
            at(11, Kind.RESUME),
        ),
    ),
    "f30-killed-in-the-reply-to-a-claim": Scenario(
        about="The store gave the claim, and nobody lives who knows of it.",
        world=world(
            *(at(4 * n, Kind.KILL_AT_CALL, amount=4 * n + 1) for n in range(1, 10)),
            jobs=(every(seconds=1), long(5, on_lost="fail")),
        ),
    ),
}
"""By name: F and the number of the class, then what happens."""
