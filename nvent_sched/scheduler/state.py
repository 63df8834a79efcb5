"""The verbs about how things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._engine import jobverbs, overview
from nvent_sched._engine.stream import EventStream
from nvent_sched._model.policies import count_in_range
from nvent_sched._model.queries import PAGE_MAX
from nvent_sched._model.showing import DashboardOptions, dashboard_of
from nvent_sched._rules.viewing import (
    instance_view,
    stats_view,
)
from nvent_sched.scheduler.verbs import Verbs, job_id_of

if TYPE_CHECKING:
    from typing import Any

    from nvent_sched._model.queries import StoreSummary
    from nvent_sched._model.showing import Dashboard
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
        """Look for broken invariants and dangerous settings in the store. Slow.

        Also for jobs that stand still because a clock was ahead (`ahead`).
        """
        return await overview.look_at(self._core("check"), is_deep=True)

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

    def dashboard(
        self,
        *,
        mode: str = "table",
        height: int | None = None,
        theme: str = "auto",
        compact: bool = False,
        plain: bool | None = None,
    ) -> Dashboard:
        """Show a live view of the jobs, in a notebook: the cell's last expression.

        Once for the same options: the cell run again shows it in place. What is shown
        becomes a plain table when the scheduler stops.

        Args:
            mode: "table", or "timeline": what ran and what comes, on an axis of time.
            height: Of the list, in pixels; as the jobs need it without one.
            theme: "light" or "dark"; "auto" is what the notebook has.
            compact: Only the head, and the jobs that need somebody most.
            plain: True for stock controls, which need no anywidget; False never to
                change to them; None changes where the front end has no anywidget.

        Raises:
            UsageError: An option is not allowed.
        """
        options = DashboardOptions(
            mode=mode, height=height, theme=theme, compact=compact, plain=plain
        )
        if options not in self._dashboards:
            self._dashboards[options] = dashboard_of(
                self, engine=lambda: self._engine, options=options
            )
        return self._dashboards[options]

    def _ipython_display_(self) -> None:
        """Show the compact dashboard; the protocol of IPython."""
        self.dashboard(compact=True)._ipython_display_()

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, Any]:
        """Give the compact dashboard in every form; the protocol of IPython."""
        return self.dashboard(compact=True)._repr_mimebundle_(include, exclude)

    def _repr_html_(self) -> str:
        """Draw how things stand; the protocol of IPython."""
        return self.dashboard(compact=True).to_html()
