"""What a scenario is, and what the worlds of scenarios are made of. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvent_sched._model.instants import SECOND_US, Instant, moment_from
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched.testing.simulator.expecting import all_well
from nvent_sched.testing.simulator.timeline import BEGIN
from nvent_sched.testing.simulator.worlds import Kind, SimulatedJob, Trouble, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvent_sched.testing.faulty import Fault
    from nvent_sched.testing.simulator.expecting import Expectation


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


def at(seconds: float, kind: Kind, who: int = 0, *, amount: int = 0) -> Trouble:
    """Let something happen after so many seconds."""
    return Trouble(at_us=round(seconds * SECOND_US), kind=kind, who=who, amount=amount)


def every(job_id: str = "job", seconds: float = 2, **options: object) -> SimulatedJob:
    """Make a job that is due every so many seconds."""
    return SimulatedJob(id=job_id, schedule=Interval(seconds=seconds), options=options)


def long(seconds: int, **options: object) -> SimulatedJob:
    """Make a job with one run that takes about so long."""
    schedule = OneTime(moment_from(Instant(BEGIN + 2 * SECOND_US)))
    length_us = seconds * SECOND_US
    return SimulatedJob(
        id="long", schedule=schedule, options=options, length_us=length_us
    )


def world(
    *troubles: Trouble, jobs: tuple[SimulatedJob, ...] = (every(),), hosts: int = 2
) -> World:
    """Make a world of hosts whose clocks are right, and a store with its own."""
    return World(seed=1, offsets_us=(0,) * hosts, jobs=jobs, troubles=troubles)


def on_one_machine(*troubles: Trouble, jobs: tuple[SimulatedJob, ...]) -> World:
    """Make a world of two processes and a store that share one wall clock."""
    return World(seed=1, has_own_clock=False, jobs=jobs, troubles=troubles)
