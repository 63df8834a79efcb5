"""Keep history within its bounds: a little at a time, and only where something ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import SECOND_US

if TYPE_CHECKING:
    from nvent_sched._engine.core import Core

PRUNE_EVERY_US: Final = 5 * SECOND_US
PRUNE_IDLE_US: Final = 600 * SECOND_US
PRUNE_BATCH: Final = 1_000
JOBS_BATCH: Final = 200


async def prune_pass(core: Core) -> int:
    """Prune once; say when to do so next.

    A job is looked at once enough of its runs ended here to matter, so that a job with
    few runs costs nothing and one with many is kept short.
    """
    runs_max = core.options.retention.runs_max
    noisy = [
        job_id for job_id, ended in core.touched_jobs.items() if ended * 4 > runs_max
    ][:JOBS_BATCH]
    pruned = await core.adapter.prune(
        job_ids=noisy, runs_max=runs_max, limit=PRUNE_BATCH, now=core.time.now()
    )
    for job_id in noisy:
        core.touched_jobs.pop(job_id, None)
    if len(core.touched_jobs) > 100 * JOBS_BATCH:
        core.touched_jobs.clear()
    now_us = core.clock.monotonic_us()
    is_behind = pruned >= PRUNE_BATCH or len(noisy) == JOBS_BATCH
    if is_behind:
        return now_us
    return now_us + (PRUNE_EVERY_US if core.touched_jobs else PRUNE_IDLE_US)
