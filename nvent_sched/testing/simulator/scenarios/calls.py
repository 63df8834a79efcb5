"""Calls that fail, hang or get lost, and releases that differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from nvent_sched.testing.faulty import Fault
from nvent_sched.testing.simulator.expecting import (
    both,
    no_attempt_was_lost,
    said,
)
from nvent_sched.testing.simulator.scenarios.building import (
    Scenario,
    at,
    every,
    long,
    world,
)
from nvent_sched.testing.simulator.worlds import Kind, World

CALLS: Final[dict[str, Scenario]] = {
    "f11-handler-missing-here": Scenario(
        about="During a deploy one instance does not know the handler yet.",
        world=World(
            seed=1, offsets_us=(0, 0), jobs=(every(),), strangers=frozenset({0})
        ),
        expect=no_attempt_was_lost,
    ),
    "f12-two-releases-declare-one-job": Scenario(
        about="During a deploy old and new instances say by turns when a job runs.",
        world=replace(
            world(
                *(at(4 * n, Kind.STOP, n % 2) for n in range(1, 6)),
                at(22, Kind.KILL, 1),
                jobs=(every("other"),),
            ),
            declared=(every(seconds=1), every(seconds=3)),
        ),
        expect=both(
            said("host0.3 put_jobs", "job:active:True"),
            said("host1.3 put_jobs", "job:active:True"),
        ),
    ),
    "f16-a-call-that-hangs": Scenario(
        about="A call to the store does not come back, and the scheduler stands still.",
        world=world(at(20, Kind.MEND)),
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
        world=world(at(30, Kind.MEND), jobs=(every(misfire="all"), long(8))),
        faults={
            0: {
                (verb, n): Fault.REPLY_LOST
                for verb in ("commit_plans", "settle", "begin")
                for n in (1, 3, 4)
            }
        },
        expect=no_attempt_was_lost,
    ),
    "f22-no-hint-arrives": Scenario(
        about="A change is told by a message, and the message is lost.",
        world=World(
            seed=1,
            offsets_us=(0, 0),
            jobs=(every(),),
            hints_lost=100,
            troubles=(at(10, Kind.RESCHEDULE, amount=2), at(20, Kind.RUN_NOW)),
        ),
    ),
    "f29-store-down-for-long": Scenario(
        about="The store is back after minutes: all is due, or nothing ever again.",
        world=world(
            at(5, Kind.CUT, -1),
            at(185, Kind.MEND, -1),
            jobs=(every(misfire="all", max_catch_up=5), long(30, on_lost="fail")),
        ),
    ),
}
"""By name: F and the number of the class, then what happens."""
