"""Simulate a scenario, and say what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched.errors import UsageError
from nvent_sched.testing.faulty import Scripted
from nvent_sched.testing.simulator.running import Ending, simulate_world
from nvent_sched.testing.simulator.scenarios.calls import CALLS
from nvent_sched.testing.simulator.scenarios.owners import OWNERS
from nvent_sched.testing.simulator.scenarios.times import TIMES
from nvent_sched.testing.simulator.seeds import Seen, problems_of

if TYPE_CHECKING:
    from nvent_sched.testing.simulator.scenarios.building import Scenario


def _number_of(name: str) -> int:
    return int(name.partition("-")[0].removeprefix("f"))


_ALL: Final = {**OWNERS, **TIMES, **CALLS}
SCENARIOS: Final[dict[str, Scenario]] = {
    name: _ALL[name] for name in sorted(_ALL, key=_number_of)
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
