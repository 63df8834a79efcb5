"""Find stalled work by the time of its last activity, for code that writes only that.

Nothing is stored of work that is well, and no deadline can pass between two sweeps: what
a sweep finds silent gets a watchdog whose alarm is due at once. As long as the work stays
silent, the next sweeps find that watchdog and leave it alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import Instant
from nvent_sched._model.roles import Role
from nvent_sched._model.watchdogs import WatchState
from nvent_sched._rules.watching import state_of, watch_definition
from nvent_sched.patterns.orphans import watchdog_pages
from nvent_sched.patterns.watchdog import watch_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvent_sched._engine.core import Core
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.policies import Retry
    from nvent_sched.patterns.signs import SignStore

SWEEP_ID: Final = "stall-detection"


class Sweep:
    """One kind of work that is swept.

    Args:
        job_id: Of the job that sweeps.
        timeout_us: How long work may be silent.
        handler: What an alarm calls.
        retry: For the alarm.
    """

    def __init__(
        self, job_id: str, *, timeout_us: int, handler: str, retry: Retry
    ) -> None:
        self._job_id, self._timeout_us = job_id, timeout_us
        self._handler, self._retry = handler, retry

    async def run(
        self, core: Core, signs: SignStore, *, last: Mapping[str, Instant]
    ) -> dict[str, int]:
        """Raise the alarm for what is silent, once a silence.

        Args:
            core: The instance.
            signs: Where watchdogs are stored.
            last: When each work that goes on was active last.

        Returns:
            How much work goes on, and of how much each thing is new.

        Raises:
            UsageError: A key cannot be one.
            StoreError: Not everything could be stored; the next sweep goes on.
        """
        known = await self._known(core)
        silent_until = Instant(core.time.now() - self._timeout_us)
        stalled, over = 0, []
        for key, at in last.items():
            job_id = watch_id_of(f"{self._job_id}:{key}")
            job = known.pop(job_id, None)
            if at > silent_until:
                if job is not None:
                    over.append(job_id)
            elif job is None or job.anchor != at:
                definition = watch_definition(
                    job_id,
                    handler=self._handler,
                    timeout_us=self._timeout_us,
                    facts={"key": key},
                    retry=self._retry,
                )
                await signs.start(definition, at=at)
                stalled += 1
        over += known
        ended = await signs.end(over) if over else 0
        return {"going": len(last), "stalled": stalled, "recovered": ended}

    async def _known(self, core: Core) -> dict[str, Job]:
        prefix = f"{Role.WATCHDOG}{self._job_id}:"
        return {
            job.id: job
            async for page in watchdog_pages(core, prefix=prefix)
            for job in page
            if state_of(job) is not WatchState.ENDED
        }
