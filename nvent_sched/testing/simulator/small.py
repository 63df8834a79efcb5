"""Exhaustively, in the small: each verb, each way to fail, at each of its first calls.

Random trouble finds what is likely. This finds what is rare: one fault, at one call, with
everything else well, and the checker on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.policies import Retry
from nvent_sched._rules.schedules import Interval
from nvent_sched.testing.faulty import Fault, Scripted
from nvent_sched.testing.simulator.patterns import (
    Patterns,
    SimulatedDeadline,
    SimulatedLock,
    SimulatedTrigger,
    SimulatedWait,
    SimulatedWatchdog,
)
from nvent_sched.testing.simulator.running import Ending, simulate_world
from nvent_sched.testing.simulator.worlds import Kind, SimulatedJob, Trouble, World

if TYPE_CHECKING:
    from collections.abc import Iterator

VERBS: Final = (
    "open",
    "put_jobs",
    "take_due",
    "commit_plans",
    "read_facts",
    "begin",
    "confirm",
    "renew",
    "settle",
    "take_lost",
    "cancel_runs",
    "prune",
    "read_jobs",
    "read_runs",
    "read_stats",
    "publish",
    "leave",
    "acquire_locks",
    "renew_locks",
    "release_locks",
    "drop_jobs",
)
"""The verbs that an instance uses in the small world."""
FAULTS: Final = (Fault.FAILS_BEFORE, Fault.FAILS_AFTER, Fault.REPLY_LOST)

WORLD: Final = World(
    seed=0,
    offsets_us=(0, 60 * SECOND_US),
    jobs=(
        SimulatedJob(
            id="flaky",
            schedule=Interval(seconds=2),
            options={
                "misfire": "all",
                "retry": Retry(attempts=2, delay=timedelta(seconds=1)),
                "pause_after_failures": 4,
            },
            length_us=SECOND_US,
            failing=40,
        ),
        SimulatedJob(
            id="once",
            schedule=Interval(seconds=3),
            options={"on_lost": "fail", "overlap": "buffer_one"},
            length_us=4 * SECOND_US,
        ),
    ),
    troubles=(
        Trouble(at_us=5 * SECOND_US, kind=Kind.CANCEL),
        Trouble(at_us=6 * SECOND_US, kind=Kind.KILL, who=1),
        Trouble(at_us=8 * SECOND_US, kind=Kind.STOP, who=0),
        Trouble(at_us=9 * SECOND_US, kind=Kind.CANCEL, amount=1),
        Trouble(at_us=12 * SECOND_US, kind=Kind.MEND),
    ),
    calm_us=33 * SECOND_US,
    patterns=Patterns(
        locks=(SimulatedLock(name="lock", gap_us=3 * SECOND_US),),
        waits=(SimulatedWait(key="wait"),),
        deadlines=(SimulatedDeadline(key="deadline", failing=0),),
        triggers=(SimulatedTrigger(name="trigger", fires=2),),
        watchdogs=(SimulatedWatchdog(key="flow"),),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneFault:
    """One fault of one call of the first host."""

    verb: str
    fault: Fault
    call: int

    def __str__(self) -> str:
        """Say which."""
        return f"{self.verb} {self.fault} at call {self.call}"


def all_faults(calls: int) -> Iterator[OneFault]:
    """List every verb, with every way to fail, at each of its first calls."""
    for call in range(1, calls + 1):
        for verb in VERBS:
            for fault in FAULTS:
                yield OneFault(verb=verb, fault=fault, call=call)


def simulate_fault(one: OneFault) -> Ending:
    """Simulate the small world with one fault."""
    script = {(one.verb, one.call): one.fault}
    return simulate_world(
        WORLD, faults=lambda host: Scripted(script if host == 0 else {})
    )
