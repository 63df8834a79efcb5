"""The verbs about how things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._engine import jobverbs, overview
from nvent_sched._engine.stream import EventStream
from nvent_sched._model.policies import count_in_range
from nvent_sched._model.queries import PAGE_MAX
from nvent_sched._rules.viewing import (
    instance_view,
    stats_view,
)
from nvent_sched.scheduler.verbs import Verbs, job_id_of

if TYPE_CHECKING:
    from nvent_sched._model.queries import StoreSummary
    from nvent_sched._model.snapshots import (
        HealthSnapshot,
        InstanceSnapshot,
        JobSnapshot,
        SchedulerSnapshot,
        StatsSnapshot,
    )


class StateVerbs(Verbs):
    """What can be asked about the whole."""

    async def stats(self, job: str | JobSnapshot | None = None) -> StatsSnapshot:
        """Read the statistics of a job, or of all jobs added up.

        Raises:
            UnknownJobError: There is no such job.
        """
        core = self._core("stats")
        if job is None:
            (total,) = await core.adapter.read_stats(None)
            return stats_view(total, job=None)
        stored = await jobverbs.read_job(core, job_id_of(job))
        (stats,) = await core.adapter.read_stats([stored.id])
        return stats_view(stats, job=stored)

    async def instances(self) -> tuple[InstanceSnapshot, ...]:
        """List the instances that share this store, the oldest first."""
        listed = await self._core("instances").adapter.read_instances()
        return tuple(map(instance_view, listed))

    async def health(self) -> HealthSnapshot:
        """Say whether this instance does its work; also when the store does not."""
        return await overview.health_of(self._core("health"))

    async def check(self) -> StoreSummary:
        """Look for broken invariants and dangerous settings in the store. Slow."""
        core = self._core("check")
        return await core.adapter.summary(now=core.time.now(), is_deep=True)

    async def snapshot(self, *, limit: int = 1_000) -> SchedulerSnapshot:
        """Read everything at a glance.

        Args:
            limit: At most so many jobs, 1 to 10,000.
        """
        count_in_range(limit, name="limit", most=PAGE_MAX)
        return await overview.snapshot_of(self._core("snapshot"), jobs_max=limit)

    def events(self) -> EventStream:
        """Iterate over what happens on all instances, from now until the stop.

        `async with scheduler.events() as events` listens from there on, a bare
        `async for` from its first step. A reader that does not keep up loses the
        oldest; the numbers (`seq`) show it.
        """
        bus = self._running("events").bus
        return EventStream(subscribe=bus.subscribe, unsubscribe=bus.unsubscribe)
