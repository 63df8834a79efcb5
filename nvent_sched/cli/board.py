"""The live picture of a store: what is due, what is going, what ended.

Values in, renderables out; `read_frame` alone asks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from rich.box import ROUNDED
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.runs import RunState
from nvent_sched._views.words import (
    NONE,
    STYLES,
    ago_words,
    count_words,
    distance_words,
    outcome_sign,
    run_note,
    span_words,
    whole_words,
)
from nvent_sched.cli.sheets import STATUS_STYLES

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import RenderableType

    from nvent_sched._model.snapshots import (
        JobSnapshot,
        RunSnapshot,
        SchedulerSnapshot,
        StatsSnapshot,
    )
    from nvent_sched.scheduler import Scheduler

WIDE: Final = 100
BAR_WIDTH: Final = 10
READY_MAX: Final = 100
RATE_WINDOW: Final = timedelta(minutes=1)
RATE_WINDOW_MIN: Final = timedelta(seconds=10)
FRAME_EVERY: Final = timedelta(milliseconds=500)
JOB_WIDTH_MAX: Final = 28
SCHEDULE_WIDTH_MAX: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One moment of a store.

    Attributes:
        ready: Runs that wait for their time or for a free slot.
    """

    url: str
    snapshot: SchedulerSnapshot
    ready: tuple[RunSnapshot, ...]

    @property
    def now(self) -> datetime:
        """The moment, by the scheduler's clock."""
        return self.snapshot.at


async def read_frame(scheduler: Scheduler, *, jobs_max: int = 50) -> Frame:
    """Read what a picture shows, at most so many jobs."""
    snapshot = await scheduler.snapshot(limit=jobs_max)
    ready = await scheduler.runs(state=RunState.READY, limit=READY_MAX)
    return Frame(url=scheduler.url, snapshot=snapshot, ready=ready.items)


class Rate:
    """How many runs end a minute, from the frames of the last minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[datetime, int]] = deque()

    def observe(self, frame: Frame) -> float | None:
        """Add a frame; say the rate, None before there is enough to go by."""
        self._seen.append((frame.now, frame.snapshot.total.runs))
        while frame.now - self._seen[0][0] > RATE_WINDOW:
            self._seen.popleft()
        (since, before), (until, after) = self._seen[0], self._seen[-1]
        if until - since < RATE_WINDOW_MIN:
            return None
        return (after - before) / ((until - since) / timedelta(minutes=1))


def header(
    frame: Frame, *, title: str, rate: float | None, started_at: datetime | None
) -> Panel:
    """Show where this is and how much of it there is."""
    shot, total = frame.snapshot, frame.snapshot.total
    where = Table.grid(expand=True, padding=(0, 1))
    where.add_column(overflow="ellipsis", no_wrap=True, ratio=1)
    where.add_column(justify="right", no_wrap=True)
    up = "" if started_at is None else f"up {whole_words(frame.now - started_at)}"
    where.add_row(Text(frame.url, style="bold"), up)
    who = ", ".join(each.id for each in shot.instances) or "nobody runs handlers"
    where.add_row(Text(who, style="dim"), f"{frame.now.astimezone():%H:%M:%S}")
    jobs = sum(shot.job_counts.values())
    counts = Text(" · ").join(
        [
            Text(count_words(jobs, "job")),
            Text(f"{len(shot.running)} running", style="cyan" if shot.running else ""),
            Text(count_words(total.runs, "run")),
            Text(f"{total.failures:,} failed", style="red" if total.failures else ""),
            Text(f"{total.retries:,} retried"),
            Text(f"{NONE if rate is None else f'{rate:.0f}'} a minute"),
        ]
    )
    return Panel(
        Group(where, counts),
        title=title,
        title_align="left",
        box=ROUNDED,
        padding=(0, 1),
    )


def jobs_board(frame: Frame, *, width: int) -> RenderableType:
    """Show each job: when it is due, what it does, how it went."""
    is_wide = width >= WIDE
    table = Table(box=None, header_style="bold dim", expand=True, padding=(0, 1, 0, 0))
    table.add_column("job", overflow="ellipsis", no_wrap=True, max_width=JOB_WIDTH_MAX)
    if is_wide:
        table.add_column(
            "schedule", overflow="ellipsis", no_wrap=True, max_width=SCHEDULE_WIDTH_MAX
        )
    table.add_column("next", no_wrap=True, min_width=8)
    table.add_column("state", overflow="ellipsis", no_wrap=True, ratio=1)
    table.add_column("last", no_wrap=True, min_width=9)
    for name in ("runs", "failed", "p95 late"):
        table.add_column(name, justify="right", no_wrap=True)
    for job in frame.snapshot.jobs:
        stats = frame.snapshot.stats[job.id]
        cells: list[Text] = [Text(job.id, style="bold")]
        if is_wide:
            cells.append(Text(job.schedule.describe(), style="dim"))
        cells += [
            next_text(job, now=frame.now),
            state_text(job, frame, is_wide=is_wide),
            last_text(stats, now=frame.now),
            Text(f"{stats.runs:,}"),
            Text(f"{stats.failures:,}", style="red" if stats.failures else "dim"),
            Text(span_words(stats.lateness.p95)),
        ]
        table.add_row(*cells)
    return table


def next_text(job: JobSnapshot, *, now: datetime) -> Text:
    """Count down to the next run."""
    if job.next_due is None or job.status is JobStatus.PAUSED:
        return Text(NONE, style="dim")
    words = distance_words(job.next_due, now=now)
    return Text(words if job.next_due > now else "due", style="magenta")


def state_text(job: JobSnapshot, frame: Frame, *, is_wide: bool) -> Text:
    """Say what a job is doing."""
    going = next((run for run in frame.snapshot.running if run.job_id == job.id), None)
    # The store learns of a start within a second, so the due time has to do.
    if going is not None and (going.started_at or going.ready_at) <= frame.now:
        return running_text(going, now=frame.now, is_wide=is_wide)
    ready = next((run for run in frame.ready if run.job_id == job.id), None)
    if ready is not None:
        attempts = job.policies.retry.attempts
        if ready.attempt > 1 and ready.ready_at > frame.now:
            words = distance_words(ready.ready_at, now=frame.now)
            return Text(f"try {ready.attempt} of {attempts} {words}", style="yellow")
        return Text("about to run", style="cyan")
    style = STATUS_STYLES.get(job.status, "dim")
    state = "waiting" if job.status is JobStatus.ACTIVE else str(job.status)
    return Text(state + (f" ({job.note})" if job.note else ""), style=style)


def running_text(run: RunSnapshot, *, now: datetime, is_wide: bool) -> Text:
    """Say how far a run is."""
    again = f", try {run.attempt}" if run.attempt > 1 else ""
    if run.progress is None:
        since = whole_words(now - (run.started_at or run.ready_at))
        return Text(f"running {since}{again}", style="cyan")
    done = round(run.progress * BAR_WIDTH)
    bar = Text("█" * done, style="cyan") + Text("░" * (BAR_WIDTH - done), style="dim")
    note = f", {run.progress_note}" if is_wide and run.progress_note else ""
    return bar + Text(f" {run.progress:.0%}{again}{note}", style="cyan")


def last_text(stats: StatsSnapshot, *, now: datetime) -> Text:
    """Say how the last run went, and when."""
    if stats.last_outcome is None or stats.last_finished_at is None:
        return Text(NONE, style="dim")
    style = STYLES[stats.last_outcome]
    when = ago_words(stats.last_finished_at, now=now)
    return Text(f"{outcome_sign(stats.last_outcome)} {when}", style=style)


def recent_board(frame: Frame, *, rows: int, width: int) -> RenderableType:
    """Show what ended last, the newest first, in so many rows."""
    table = Table(box=None, header_style="bold dim", expand=True, padding=(0, 1, 0, 0))
    table.add_column("ended", no_wrap=True)
    table.add_column("job", overflow="ellipsis", no_wrap=True, max_width=JOB_WIDTH_MAX)
    table.add_column("outcome", no_wrap=True)
    if width >= WIDE:
        table.add_column("origin", no_wrap=True)
    for name in ("try", "late", "took"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("result", overflow="ellipsis", no_wrap=True, ratio=1)
    ended = [run for run in frame.snapshot.recent if run.finished_at and run.outcome]
    ended.sort(key=lambda run: run.finished_at or frame.now, reverse=True)
    for run in ended[:rows]:
        assert run.outcome is not None
        assert run.finished_at is not None
        style = STYLES[run.outcome]
        cells = [
            Text(f"{run.finished_at.astimezone():%H:%M:%S}", style="dim"),
            Text(run.job_id, style="bold"),
            Text(f"{outcome_sign(run.outcome)} {run.outcome}", style=style),
        ]
        if width >= WIDE:
            cells.append(Text(str(run.origin), style="dim"))
        cells += [
            Text(str(run.attempt), style="yellow" if run.attempt > 1 else "dim"),
            Text(span_words(run.lateness), style="dim"),
            Text(span_words(run.duration), style="dim"),
            Text(run_note(run)),
        ]
        table.add_row(*cells)
    return table
