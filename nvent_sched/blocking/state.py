"""The verbs about how things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched.blocking.events import BlockingEvents
from nvent_sched.blocking.verbs import Verbs

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

    def stats(self, job: str | JobSnapshot | None = None) -> StatsSnapshot:
        """Read the statistics of a job, or of all jobs added up.

        Raises:
            UnknownJobError: There is no such job.
        """
        return self._call(self._scheduler.stats, job)

    def instances(self) -> tuple[InstanceSnapshot, ...]:
        """List the instances that share this store, the oldest first."""
        return self._call(self._scheduler.instances)

    def health(self) -> HealthSnapshot:
        """Say whether this instance does its work; also when the store does not."""
        return self._call(self._scheduler.health)

    def check(self) -> StoreSummary:
        """Look for broken invariants and dangerous settings in the store. Slow.

        Also for jobs that stand still because a clock was ahead (`ahead`).
        """
        return self._call(self._scheduler.check)

    def snapshot(self, *, limit: int = 1_000) -> SchedulerSnapshot:
        """Read everything at a glance.

        Args:
            limit: At most so many jobs, 1 to 10,000.
        """
        return self._call(self._scheduler.snapshot, limit=limit)

    def events(self) -> BlockingEvents:
        """Iterate over what happens on all instances, from now until the stop.

        `with scheduler.events() as events` listens from there on, a bare `for` from its
        first step. A reader that does not keep up loses the oldest; the numbers (`seq`)
        show it.
        """
        return BlockingEvents(self._scheduler.events(), life=self._life)

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
        return self._scheduler.dashboard(
            mode=mode, height=height, theme=theme, compact=compact, plain=plain
        )

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
