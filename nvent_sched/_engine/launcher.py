"""Hold claimed runs until their time, then start them: one task each, no store call."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

from nvent_sched._engine.runner import run_claim

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from nvent_sched._engine.core import Claim, Core


async def run_launcher(core: Core, *, runs: TaskGroup) -> None:
    """Start what is due; ends by cancellation.

    Args:
        core: The instance; its `arrivals` are emptied.
        runs: Where the runs are started.
    """
    waiting: list[tuple[int, int, Claim]] = []
    order = count()
    while True:
        arrivals, core.arrivals = core.arrivals, []
        for claim in arrivals:
            heapq.heappush(waiting, (claim.run.ready_at, next(order), claim))
        now = core.time.now()
        while waiting and waiting[0][0] <= now:
            claim = heapq.heappop(waiting)[2]
            if claim.run.id in core.unstarted:
                runs.start_soon(run_claim, core, claim)
        while waiting and waiting[0][2].run.id not in core.unstarted:
            heapq.heappop(waiting)
        until_us = (
            core.time.monotonic_of(waiting[0][2].run.ready_at) if waiting else None
        )
        await core.clock.wait(core.launcher_signal, until_us=until_us)
