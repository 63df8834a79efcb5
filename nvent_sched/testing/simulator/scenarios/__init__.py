"""Known ways in which schedulers fail, by name, as worlds that must come to a good end.

Each is something that has bitten other schedulers; the text says what. The checker judges
every one of them; where a scenario has an expectation of its own, that is asked as well.

What no simulation of ours can show is tested elsewhere: clock changes of a zone (F5) and
times that never come (F23 has only those that hardly ever do) by the cron rules; records
and stores of a newer release (F12 has only what two releases declare) by the codec and the
adapters; a heartbeat that leaves a renewal no second try (F17 has only renewals that fail)
by the rules of trust, which refuse it; bounded history (F10) and losses of power (F24) by
the adapters; eviction and lost scripts (F20, F21) by the tests of the adapter for Redis.
"""

from nvent_sched.testing.simulator.scenarios.building import Scenario
from nvent_sched.testing.simulator.scenarios.seeing import (
    SCENARIOS,
    see_scenario,
    simulate_scenario,
)

__all__ = ["SCENARIOS", "Scenario", "see_scenario", "simulate_scenario"]
