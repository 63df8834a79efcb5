"""The status model: what it is told, and what has changed since a version. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from nvent_sched._model.events import EventKind
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.runs import FAILURES, Outcome, RunState
from nvent_sched._views.status.detail import JobDetail, detail_of
from nvent_sched._views.status.entries import Entry
from nvent_sched._views.status.minutes import Minutes
from nvent_sched._views.status.rows import Going, Past, rank_of
from nvent_sched._views.status.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvent_sched._model.events import Event
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats
    from nvent_sched._views.status.rows import Row

ROWS_MAX: Final = 20_000
"""How many jobs are followed; of more, the first by id."""
GONE_MAX: Final = 10_000
OVERDUE_US: Final = 3 * SECOND_US
"""When a job that is due and of which nothing was heard is read again."""
INSTANCE_KINDS: Final = {
    EventKind.INSTANCE_STARTED,
    EventKind.INSTANCE_STOPPED,
    EventKind.INSTANCE_DIED,
}
AWAY_KINDS: Final = {
    EventKind.RUN_RETRYING,
    EventKind.RUN_RECOVERED,
    EventKind.RUN_LOST,
    EventKind.RUN_FENCED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What has changed since a version.

    Attributes:
        version: Of the model as far as this tells; the next delta goes on from here.
        rows: Those that are new or different, the earliest change first.
        gone: Ids of rows that are there no more.
    """

    version: int
    rows: tuple[Row, ...]
    gone: tuple[str, ...]


class StatusModel:
    """How the jobs of a store stand.

    Not for several threads at once: it belongs to the loop of the scheduler it follows.

    Args:
        url: Where the store is, for people.

    Attributes:
        version: Grows with every change.
        instances: As last read.
        left_out: How many jobs there are beyond `ROWS_MAX`.
        trouble: Why it may be out of date; None if all is well.
        head_version: Of the last change of what is not in a row.
        wanted: What is to be read again.
    """

    def __init__(self, *, url: str) -> None:
        self.url = url
        self.version: int = 0
        self.head_version: int = 0
        self.instances: tuple[Instance, ...] = ()
        self.are_instances_stale: bool = True
        self.left_out = 0
        self.trouble: str | None = None
        self.minutes: Minutes = Minutes()
        self._entries: OrderedDict[str, Entry] = OrderedDict()  # by last change
        self._gone: deque[tuple[int, str]] = deque(maxlen=GONE_MAX)
        self._gone_floor = 0
        self.wanted: Wanted = Wanted()

    def __len__(self) -> int:
        """Say how many rows there are."""
        return len(self._entries)

    def __contains__(self, job_id: str) -> bool:
        """Whether there is a row of this job."""
        return job_id in self._entries

    def note_jobs(self, jobs: Iterable[Job], stats: Iterable[JobStats]) -> None:
        """Take jobs and their statistics, in the same order, as they were read."""
        for job, counted in zip(jobs, stats, strict=True):
            entry = self._entries.get(job.id)
            if entry is None:
                if len(self._entries) == ROWS_MAX:
                    continue
                entry = self._entries[job.id] = Entry(job, counted)
                self._changed(job.id, entry)
            elif entry.note_job(job, counted):
                self._changed(job.id, entry)

    def note_runs(self, runs: Iterable[Run]) -> None:
        """Take runs as they were read, in any order."""
        for run in runs:
            entry = self._entries.get(run.job_id)
            if entry is not None and entry.note_run(run):
                self._changed(run.job_id, entry)

    def note_rate(self, runs: Iterable[Run], *, since: Instant | None) -> None:
        """Count runs that ended before anybody listened; older than *since* are not."""
        self.minutes.since = since
        for run in runs:
            if run.state is RunState.FINISHED and run.started_at is not None:
                is_failure = run.outcome in FAILURES
                self.minutes.note(
                    run.finished_at or run.due_time, is_failure=is_failure
                )
        self.note_head()

    def note_missing_runs(self, run_ids: Iterable[str]) -> None:
        """Take that runs are in the store no more."""
        missing = set(run_ids)
        for job_id, entry in list(self._entries.items()):
            known = missing.intersection(entry.going)
            if known:
                for run_id in known:
                    entry.forget_going(run_id)
                self._changed(job_id, entry)

    def note_gone(self, job_ids: Iterable[str]) -> None:
        """Take that jobs are there no more."""
        for job_id in job_ids:
            self.wanted.forget_job(job_id)
            if self._entries.pop(job_id, None) is not None:
                self.version += 1
                if len(self._gone) == GONE_MAX:
                    self._gone_floor = self._gone[0][0]
                self._gone.append((self.version, job_id))

    def note_only(self, job_ids: set[str]) -> None:
        """Take that there are no other jobs than these."""
        self.note_gone([job_id for job_id in self._entries if job_id not in job_ids])

    def note_instances(self, instances: Iterable[Instance]) -> None:
        """Take the instances as they were read."""
        listed = tuple(instances)
        self.are_instances_stale = False
        if listed != self.instances:
            self.instances = listed
            self.note_head()

    def note_trouble(self, trouble: str | None) -> None:
        """Take why it may be out of date, or that it is not."""
        if trouble != self.trouble:
            self.trouble = trouble
            self.note_head()

    def note_head(self) -> None:
        """Take that something changed that is not in a row."""
        self.head_version += 1

    def _changed(self, job_id: str, entry: Entry) -> None:
        self.version += 1
        entry.version = self.version
        self._entries.move_to_end(job_id)

    def fold(self, event: Event) -> None:
        """Take an event: move its row at once, and note what must be read again."""
        job_id, kind = event.job_id, event.kind
        if kind in INSTANCE_KINDS:
            self.are_instances_stale = True
        if job_id is None:
            return
        if kind is EventKind.JOB_REMOVED:
            self.note_gone([job_id])
            return
        self.wanted.job(job_id)
        entry = self._entries.get(job_id)
        if event.run_id is None or entry is None:
            return
        if kind is EventKind.RUN_STARTED:
            self.wanted.run(event.run_id)
            entry.note_start(Going(event.run_id, event.at))
        elif kind is EventKind.RUN_FINISHED:
            self.wanted.run(event.run_id)
            self._fold_end(event, event.run_id, entry)
        elif kind in AWAY_KINDS:
            self.wanted.run(event.run_id)
            entry.forget_going(event.run_id)
        self._changed(job_id, entry)

    def _fold_end(self, event: Event, run_id: str, entry: Entry) -> None:
        try:
            outcome = Outcome(event.detail)
        except ValueError:  # of a newer release; the run itself is read soon
            entry.forget_going(run_id)
            return
        going = entry.going.get(run_id)
        length_us = None if going is None else max(0, event.at - going.started_at)
        entry.note_end(Past(run_id, outcome, event.at, length_us))
        self.minutes.note(event.at, is_failure=outcome in FAILURES)
        self.note_head()

    def want_overdue(self, *, now: Instant, limit: int) -> None:
        """Want jobs read again that are due and of which nothing was heard."""
        overdue = (
            job_id
            for job_id, entry in self._entries.items()
            if not entry.going
            and (due := entry.job.next_time) is not None
            and due + OVERDUE_US < now
        )
        for job_id in islice(overdue, limit):
            self.wanted.job(job_id)

    def want_going(self, *, limit: int) -> None:
        """Want runs read again that go on: how far they are is no event."""
        going = (run_id for entry in self._entries.values() for run_id in entry.going)
        for run_id in islice(going, limit):
            self.wanted.run(run_id)

    def ids_short_of_past(self, job_ids: Iterable[str]) -> tuple[str, ...]:
        """Say of which of these jobs the store may know more runs than are shown."""
        found = ((each, self._entries.get(each)) for each in job_ids)
        return tuple(
            each for each, entry in found if entry and entry.is_short_of_past()
        )

    def rows(self) -> Iterator[Row]:
        """Make every row, the one that changed first before others."""
        for entry in tuple(self._entries.values()):
            yield entry.row()

    def snapshot(self, *, now: Instant, limit: int) -> tuple[Row, ...]:
        """List the rows that need somebody most, at most so many."""
        ordered = sorted(self.rows(), key=lambda row: rank_of(row, now=now))
        return tuple(ordered[:limit])

    def delta_since(self, version: int, *, limit: int = ROWS_MAX) -> Delta | None:
        """Say what has changed since a version.

        Args:
            version: Of the last delta or snapshot that the reader has.
            limit: At most so many rows; the rest is in the next delta.

        Returns:
            None if that is too long ago: the reader needs every row again.
        """
        if version < self._gone_floor:
            return None
        newest: list[Entry] = []
        for entry in reversed(self._entries.values()):
            if entry.version <= version:
                break
            newest.append(entry)
        newest.reverse()
        until = self.version if len(newest) <= limit else newest[limit - 1].version
        gone = [each for at, each in self._gone if version < at <= until]
        return Delta(
            version=until,
            rows=tuple(entry.row() for entry in newest[:limit]),
            gone=tuple(each for each in gone if each not in self._entries),
        )

    def coming(
        self, job_id: str, *, until: Instant, limit: int, now: Instant
    ) -> tuple[Instant, ...]:
        """Say when a job is due, at most so many times and not after *until*."""
        entry = self._entries.get(job_id)
        return () if entry is None else entry.coming(now=now, until=until, limit=limit)

    def detail(
        self, job_id: str, *, runs: Iterable[Run], now: Instant
    ) -> JobDetail | None:
        """Say everything about a job.

        Args:
            job_id: Which.
            runs: Its last ones, the newest first, as read for this.
            now: The present: what is due next is counted from here.

        Returns:
            None if there is no such row.
        """
        entry = self._entries.get(job_id)
        if entry is None:
            return None
        return detail_of(entry, runs=tuple(runs), instances=self.instances, now=now)
