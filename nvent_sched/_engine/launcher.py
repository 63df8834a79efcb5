"""Hold claimed runs until their time, then start them: one task each, no store call.

A run that is claimed ahead gets its task at once, and waits with all others of its instant
at one gate. When it opens, a handler is a few microseconds away, not the start of a task.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import anyio

from nvent_sched._engine.runner import run_claim

if TYPE_CHECKING:
    from nvent_sched._engine.core import Core
    from nvent_sched._engine.tasks import Start
    from nvent_sched._model.instants import Instant


async def run_launcher(core: Core, *, start: Start) -> None:
    """Start what is due; ends by cancellation.

    Args:
        core: The instance; its `arrivals` are emptied.
        start: Starts the task of a run.
    """
    gates: dict[Instant, anyio.Event] = {}
    instants: list[Instant] = []
    while True:
        now = core.time.now()
        while instants and instants[0] <= now:
            gates.pop(heapq.heappop(instants)).set()
        arrivals, core.arrivals = core.arrivals, []
        for claim in arrivals:
            if core.unstarted.get(claim.run.id) is not claim:
                continue  # given back already, or cancelled
            ready_at, gate = claim.run.ready_at, None
            if ready_at > now:
                gate = gates.get(ready_at)
                if gate is None:
                    gate = gates[ready_at] = anyio.Event()
                    heapq.heappush(instants, ready_at)
            start(run_claim, core, claim, gate)
        until_us = core.time.monotonic_of(instants[0]) if instants else None
        await core.clock.wait(core.launcher_signal, until_us=until_us)
