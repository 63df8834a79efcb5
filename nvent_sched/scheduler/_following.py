"""Keep a status model as the store is: read it once, then go by events.

A view must not slow the engine: what is read at once is bounded, passes are paced, and
while nobody watches nothing is read at all. Trouble with the store is shown in the model,
and everything is read again once it is over; so it is when events were lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._engine.signals import Signal
from nvent_sched._logs import logger_of
from nvent_sched._model.instants import MILLISECOND_US, SECOND_US, Instant
from nvent_sched._model.queries import JobQuery, RunQuery
from nvent_sched._model.runs import FAILURES
from nvent_sched._views.status import StatusModel
from nvent_sched._views.status.model import ROWS_MAX
from nvent_sched._views.status.rows import STRIP_MAX
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nvent_sched._engine.bus import Bus, Subscriber
    from nvent_sched._engine.core import Core
    from nvent_sched._model.runs import Run
    from nvent_sched._views.status.detail import JobDetail
    from nvent_sched.scheduler.scheduler import Scheduler

log: Final = logger_of(__name__)
SLICE: Final = 500
"""How many jobs are read at once."""
RUNS_SLICE: Final = 200
RECENT_MAX: Final = 5_000
"""How many runs are read at the start, the newest, for rate and recent runs."""
REFRESH_MAX: Final = 250
"""How many jobs and how many runs are read again in a pass."""
PACE_US: Final = 100 * MILLISECOND_US
"""The least time between two passes: what happens meanwhile is read together."""
LOOK_US: Final = SECOND_US
"""How often the progress of runs is read, and what is overdue looked for."""
INSTANCES_US: Final = 5 * SECOND_US
HOUR_US: Final = 3600 * SECOND_US
BACKOFF_US: Final = 2 * SECOND_US
CATCH_UP_US: Final = 4 * SECOND_US
DETAIL_RUNS: Final = 12
LANE_RUNS: Final = 120


def follower_of(scheduler: Scheduler) -> Follower:
    """Make a follower of a scheduler that runs; its `run` is to be started.

    Raises:
        NotRunningError: It does not run.
    """
    engine = scheduler._running("follow")  # noqa: SLF001  one of its own
    return Follower(engine.core, engine.bus)


class Follower:
    """Follows one store through one instance; `run` is its loop.

    Args:
        core: The instance.
        bus: Where its events come from.

    Attributes:
        model: What is known. Use it in the instance's loop only.
        is_watched: Whether anybody looks; otherwise only events are taken.
        is_loaded: Whether everything was read once.
        on_change: Called after each pass that may have changed the model.
    """

    def __init__(self, core: Core, bus: Bus) -> None:
        self._core, self._bus = core, bus
        self.model: StatusModel = StatusModel(url=core.adapter.url)
        self.is_watched = True
        self.is_loaded: bool = False
        self.on_change: Callable[[], None] = _nothing
        self._seen = 0
        self._hurried = 0
        self._filled: set[str] = set()
        self._looked_at_us = 0
        self._listed_at_us = 0

    @property
    def now(self) -> Instant:
        """The store's time."""
        return self._core.time.now()

    async def run(self) -> None:
        """Follow until the scheduler stops; trouble with the store is outlived."""
        core = self._core
        while True:
            try:
                await self._follow()
            except StoreError as error:
                log.warning("the view is out of date", extra={"error": str(error)})
                self.model.note_trouble(f"{type(error).__name__}: {error}")
                self.on_change()
                until_us = core.clock.monotonic_us() + BACKOFF_US
                await core.clock.wait(Signal(), until_us=until_us)
            else:
                return

    async def _follow(self) -> None:
        subscriber = await self._bus.subscribe()
        try:
            await self.load()
            self._seen = subscriber.after
            while await self._one_pass(subscriber):
                self.on_change()
                await self._pause(subscriber)
        finally:
            self._bus.unsubscribe(subscriber)
            self._take(subscriber)
        self.on_change()

    async def _pause(self, subscriber: Subscriber) -> None:
        clock = self._core.clock
        now_us = clock.monotonic_us()
        await clock.wait(Signal(), until_us=now_us + PACE_US)
        if self._hurried:
            return
        if not self.model.wanted or not self.is_watched:
            await clock.wait(subscriber.signal, until_us=now_us + LOOK_US)

    def _take(self, subscriber: Subscriber) -> None:
        for event in subscriber.take():
            self.model.fold(event)
            self._seen = event.seq

    async def _one_pass(self, subscriber: Subscriber) -> bool:
        """Take what has come and read what is wanted; False once it has ended."""
        is_over = subscriber.is_closed
        lost = subscriber.dropped
        self._take(subscriber)
        self.on_change()
        if lost:
            subscriber.dropped = 0
            await self.load()
        if self.is_watched or self._hurried:
            self._look()
            await self._refresh()
            await self._list_instances()
        return not is_over

    async def load(self, *, jobs_max: int = ROWS_MAX) -> None:
        """Read everything, a slice at a time.

        Raises:
            StoreError: The store cannot be read.
        """
        model, adapter = self.model, self._core.adapter
        seen = set[str]()
        after: str | None = None
        while True:
            limit = min(SLICE, jobs_max - len(seen))
            page = await adapter.read_jobs(JobQuery(after=after, limit=limit))
            stats = await adapter.read_stats([job.id for job in page.items])
            model.note_jobs(page.items, stats)
            seen.update(job.id for job in page.items)
            self.on_change()
            after = page.next
            if after is None or len(seen) >= jobs_max:
                break
        model.note_only(seen)
        model.left_out = 0
        if after is not None:
            summary = await adapter.summary(now=self._core.time.now(), is_deep=False)
            stored = [*summary.jobs.values(), *summary.waits.values()]
            model.left_out = max(0, sum(stored) - len(seen))
        self._filled.clear()
        await self._load_recent()
        model.are_instances_stale = True
        await self._list_instances()
        model.note_trouble(None)
        self.is_loaded = True

    async def _load_recent(self) -> None:
        """Read the newest runs of all jobs, of whatever state."""
        model = self.model
        model.minutes.clear()
        enough, hour_ago = STRIP_MAX * len(model), self._core.time.now() - HOUR_US
        after: str | None = None
        for count in range(RUNS_SLICE, RECENT_MAX + 1, RUNS_SLICE):
            query = RunQuery(after=after, limit=RUNS_SLICE)
            page = await self._core.adapter.read_runs(query)
            model.note_runs(reversed(page.items))
            oldest = page.items[-1].scheduled_time if page.items else None
            model.note_rate(page.items, since=oldest if page.next else None)
            after = page.next
            if after is None or (count >= enough and (oldest or 0) < hour_ago):
                return

    def _look(self) -> None:
        core, model = self._core, self.model
        now_us = core.clock.monotonic_us()
        if now_us - self._looked_at_us >= LOOK_US:
            self._looked_at_us = now_us
            model.want_going(limit=REFRESH_MAX)
            model.want_overdue(now=core.time.now(), limit=REFRESH_MAX)

    async def _refresh(self) -> None:
        """Read what the model wants, a bounded part of it."""
        model, adapter = self.model, self._core.adapter
        job_ids, run_ids = model.wanted.take(limit=REFRESH_MAX)
        if run_ids:
            runs = await adapter.read_runs(RunQuery(ids=run_ids, limit=len(run_ids)))
            model.note_runs(reversed(runs.items))
            found = {run.id for run in runs.items}
            model.note_missing_runs(each for each in run_ids if each not in found)
        if job_ids:
            jobs = await adapter.read_jobs(JobQuery(ids=job_ids, limit=len(job_ids)))
            stats = await adapter.read_stats([job.id for job in jobs.items])
            model.note_jobs(jobs.items, stats)
            known = {job.id for job in jobs.items}
            model.note_gone(each for each in job_ids if each not in known)

    async def _list_instances(self) -> None:
        now_us = self._core.clock.monotonic_us()
        is_due = now_us - self._listed_at_us >= INSTANCES_US
        if is_due or self.model.are_instances_stale:
            self._listed_at_us = now_us
            self.model.note_instances(await self._core.adapter.read_instances())

    async def catch_up(self) -> None:
        """Wait until the model knows what happened before now; not for ever.

        Raises:
            StoreError: The store cannot be asked what happened last.
        """
        core = self._core
        until_us = core.clock.monotonic_us() + CATCH_UP_US
        self._hurried += 1
        try:
            await core.outbox.flush()
            newest = await self._bus.newest()
            while self._seen < newest or self.model.wanted or not self.is_loaded:
                now_us = core.clock.monotonic_us()
                if now_us >= until_us:
                    return
                await core.clock.wait(Signal(), until_us=now_us + PACE_US // 2)
        finally:
            self._hurried -= 1

    async def fill_past(self, job_ids: Iterable[str]) -> None:
        """Read the recent runs of jobs whose rows show fewer than there were. Once.

        Raises:
            StoreError: The store cannot be read.
        """
        for job_id in self.model.ids_short_of_past(job_ids):
            if job_id not in self._filled:
                self._filled.add(job_id)
                self.model.note_runs(reversed(await self._runs_of(job_id, STRIP_MAX)))

    async def detail(self, job_id: str) -> JobDetail | None:
        """Read everything about a job; None if there is none.

        Raises:
            StoreError: The store cannot be read.
        """
        runs = await self._runs_of(job_id, DETAIL_RUNS)
        if not any(run.error for run in runs):
            query = RunQuery(job_id=job_id, outcomes=tuple(FAILURES), limit=1)
            runs += (await self._core.adapter.read_runs(query)).items
        return self.model.detail(job_id, runs=runs, now=self._core.time.now())

    async def lane(
        self, job_id: str, *, since: Instant, until: Instant, coming_max: int
    ) -> tuple[tuple[Run, ...], tuple[Instant, ...]]:
        """Read what a timeline shows of a job: its runs, and when it is due.

        Raises:
            StoreError: The store cannot be read.
        """
        query = RunQuery(job_id=job_id, since=since, limit=LANE_RUNS)
        page = await self._core.adapter.read_runs(query)
        now = self._core.time.now()
        coming = self.model.coming(job_id, until=until, limit=coming_max, now=now)
        return page.items, coming

    async def _runs_of(self, job_id: str, limit: int) -> tuple[Run, ...]:
        query = RunQuery(job_id=job_id, limit=limit)
        return (await self._core.adapter.read_runs(query)).items


def _nothing() -> None:
    """Tell nobody."""
