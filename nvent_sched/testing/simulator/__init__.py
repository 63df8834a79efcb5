"""Several instances, one virtual clock, a faulty store, and a checker that judges.

Everything is drawn from a seed: hosts whose clocks are wrong and jump, jobs with any
policy, which task goes on first, which call to the store fails how, who is frozen for
longer than its lease, who dies at which await, which last writes a failover loses, what
users do meanwhile, and which locks, waits, deadlines, watchdogs and triggers the hosts' own
programs have. At the end all is well again, and every promise must have been kept::

    ending = simulate(1234)
    assert ending.report.is_clean, ending.report.violations

The same seed gives the same trace, in any process: a seed that fails is its own
reproduction, and `nvent-sched simulate --seed 1234` shows what happened.
"""

from nvent_sched.testing.simulator.running import Ending, simulate, simulate_world
from nvent_sched.testing.simulator.worlds import (
    Kind,
    SimulatedJob,
    Trouble,
    World,
    draw_world,
)

__all__ = [
    "Ending",
    "Kind",
    "SimulatedJob",
    "Trouble",
    "World",
    "draw_world",
    "simulate",
    "simulate_world",
]
