"""What the model keeps of one job, from which its row is made. Pure."""

from __future__ import annotations

from collections import deque
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._model.roles import role_of
from nvent_sched._model.runs import EXECUTED, FAILURES, Outcome, Run, RunState
from nvent_sched._rules.recurrence import due_of, schedule_of
from nvent_sched._rules.schedules import OneTime, schedule_from
from nvent_sched._views.status.rows import STRIP_MAX, Going, Past, Row, strip_of
from nvent_sched._views.words import one_line
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from nvent_sched._model.statistics import JobStats

GOING_MAX: Final = 20
"""How many of a job's runs that go on are followed."""
ERROR_MAX: Final = 200
UNREADABLE: Final = "a schedule that cannot be read"


@lru_cache(4_096)
def schedule_words(spec: str) -> str:
    """Say a stored schedule in words; many jobs share one."""
    try:
        schedule = schedule_from(spec)
    except UsageError:
        return UNREADABLE
    if isinstance(schedule, OneTime) and schedule.at is not None:
        return f"once at {schedule.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return schedule.describe()


def words_of(job: Job) -> str:
    """Say a job's schedule in words."""
    spec = job.definition.schedule
    if '"in_us"' not in spec:
        return schedule_words(spec)
    # "In an hour" is said as what it has become for this job.
    return schedule_words(schedule_of(job).spec())


class Entry:
    """One job: its record, its statistics, its runs.

    Attributes:
        version: That of the model when this last changed.
    """

    __slots__ = ("_again", "_row", "_words", "going", "job", "past", "stats", "version")

    def __init__(self, job: Job, stats: JobStats) -> None:
        self.past: deque[Past] = deque(maxlen=STRIP_MAX)
        self.going: dict[str, Going] = {}
        self._again: dict[str, Instant] = {}
        self._row: Row | None = None
        self.version = 0
        self.job, self.stats = job, stats
        self._words = words_of(job)

    def note_job(self, job: Job, stats: JobStats) -> bool:
        """Take what was read of the job; say whether that changed anything."""
        if job == self.job and stats == self.stats:
            return False
        if job != self.job:
            self._words = words_of(job)
        self.job, self.stats = job, stats
        return True

    def note_run(self, run: Run) -> bool:
        """Take what was read of one of its runs; say whether that changed anything."""
        if run.state is RunState.FINISHED:
            return self._note_ended(run)
        if run.state is RunState.CLAIMED and run.started_at is not None:
            self._again.pop(run.id, None)
            going = Going(
                run.id,
                run.started_at,
                run.attempt,
                run.progress,
                one_line(run.progress_note or ""),
            )
            return self.note_start(going)
        if run.state is RunState.CLAIMED:
            # Claimed ahead, or started: the store learns of a start within a second.
            return False
        was_going = self.going.pop(run.id, None) is not None
        if run.attempt == 1:
            return was_going
        was_at, self._again[run.id] = self._again.get(run.id), run.ready_at
        return was_going or was_at != run.ready_at

    def _note_ended(self, run: Run) -> bool:
        assert run.outcome is not None
        finished_at = run.finished_at or run.scheduled_time
        length_us = None
        if run.started_at is not None and run.outcome in EXECUTED:
            length_us = max(0, finished_at - run.started_at)
        return self.note_end(Past(run.id, run.outcome, finished_at, length_us))

    def note_start(self, going: Going) -> bool:
        """Take that a run goes on; say whether that changed anything."""
        known = self.going.get(going.run_id)
        if known == going or (known is None and len(self.going) == GOING_MAX):
            return False
        self.going[going.run_id] = going
        return True

    def note_end(self, past: Past) -> bool:
        """Take that a run ended; say whether that changed anything.

        What is known better of one replaces it; one that is older than all that are
        kept is left out.
        """
        was_open = self.forget_going(past.run_id)
        for place, known in enumerate(self.past):
            if known.run_id == past.run_id:
                self.past[place] = past
                return known != past or was_open
        kept = self.past
        if kept and past.finished_at < kept[-1].finished_at:
            if len(kept) == STRIP_MAX and past.finished_at <= kept[0].finished_at:
                return was_open
            ordered = sorted([*kept, past], key=_by_end)
            self.past = deque(ordered, maxlen=STRIP_MAX)
        else:
            kept.append(past)
        return True

    def forget_going(self, run_id: str) -> bool:
        """Take that a run is nowhere any more; say whether it was known."""
        was_going = self.going.pop(run_id, None) is not None
        return self._again.pop(run_id, None) is not None or was_going

    def is_short_of_past(self) -> bool:
        """Whether the store may know of more runs than are shown."""
        return len(self.past) < min(STRIP_MAX, sum(self.stats.counts.values()))

    def coming(
        self, *, now: Instant, until: Instant, limit: int
    ) -> tuple[Instant, ...]:
        """Say when it is due, at most so many times and not after *until*."""
        job, found = self.job, list[Instant]()
        if job.status is not JobStatus.ACTIVE or job.next_time is None:
            return ()
        at: Instant | None = job.next_time
        schedule = schedule_of(job)
        while at is not None and at <= until and len(found) < limit:
            found.append(at)
            at = schedule.next_instant(max(at, now))
        return tuple(found)

    def row(self) -> Row:
        """Give the row; made once a version."""
        if self._row is None or self._row.version != self.version:
            self._row = self._made()
        return self._row

    def _made(self) -> Row:
        job, stats, definition = self.job, self.stats, self.job.definition
        oldest = min(self.going.values(), key=_by_start, default=None)
        last = self.past[-1] if self.past else None
        outcome, finished_at = stats.last_outcome, stats.last_finished_at
        failure_streak = stats.failure_streak
        if last is not None and last.finished_at > (finished_at or 0):
            outcome, finished_at = last.outcome, last.finished_at
            if outcome in FAILURES:
                failure_streak = max(1, failure_streak)
            elif outcome is Outcome.SUCCEEDED:
                failure_streak = 0
        return Row(
            id=job.id,
            name=definition.name,
            role=role_of(job.id),
            words=self._words,
            tags=definition.tags,
            status=job.status,
            note=job.note,
            next_due=self._next_due(),
            going=len(self.going),
            started_at=None if oldest is None else oldest.started_at,
            progress=None if oldest is None else oldest.progress,
            progress_note="" if oldest is None else oldest.note,
            attempt=1 if oldest is None else oldest.attempt,
            again_at=min(self._again.values(), default=None),
            last_outcome=outcome,
            last_finished_at=finished_at,
            last_duration_us=self._last_duration_us(),
            usual_us=stats.duration_us(0.5),
            strip=strip_of(self.past),
            runs=stats.runs,
            failures=stats.failures,
            failure_streak=failure_streak,
            error=_error_of(stats) if failure_streak else "",
            version=self.version,
        )

    def _next_due(self) -> Instant | None:
        job = self.job
        if job.next_time is None or job.status is not JobStatus.ACTIVE:
            return None
        return due_of(job, job.next_time)

    def _last_duration_us(self) -> int | None:
        return next(
            (p.duration_us for p in reversed(self.past) if p.duration_us is not None),
            None,
        )


def _by_start(going: Going) -> tuple[Instant, str]:
    return going.started_at, going.run_id


def _by_end(past: Past) -> tuple[Instant, str]:
    return past.finished_at, past.run_id


def _error_of(stats: JobStats) -> str:
    return one_line(stats.last_error or "")[:ERROR_MAX]
