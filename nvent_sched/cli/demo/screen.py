"""What the demo shows: a live picture on a terminal, plain lines elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.live import Live
from rich.text import Text

from nvent_sched._model.events import EventKind
from nvent_sched._views.words import outcome_sign, run_note, span_words
from nvent_sched.cli.board import (
    FRAME_EVERY,
    Frame,
    Rate,
    header,
    jobs_board,
    read_frame,
    recent_board,
)
from nvent_sched.cli.demo.resumption import (
    Found,
    read_resumption,
    resumption_lines,
    resumption_panel,
)
from nvent_sched.cli.waiting import pause_for
from nvent_sched.errors import StoreError, UnknownRunError

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import RenderableType

    from nvent_sched._model.snapshots import EventSnapshot, RunSnapshot
    from nvent_sched.cli.output import Output
    from nvent_sched.scheduler import Scheduler

TITLE: Final = "nvent-sched demo"
HINT: Final = "Ctrl-C ends in good order; kill -9 it and run it again to see recovery"
UNTOLD: Final = {
    EventKind.JOB_ADDED,
    EventKind.JOB_CHANGED,
    EventKind.JOB_FINISHED,
}
LINES_AROUND: Final = 11
RECENT_MIN: Final = 3


class Screen:
    """The demo's display.

    Args:
        scheduler: Running.
        found: What was in the file before; None for a new one.
        out: Where to draw.
    """

    def __init__(
        self, scheduler: Scheduler, *, found: Found | None, out: Output
    ) -> None:
        self._scheduler, self._found, self._out = scheduler, found, out
        self._rate = Rate()
        self._started_at: datetime | None = None
        self.is_stopping = False

    async def run(self) -> None:
        """Draw, until cancelled."""
        with Live(
            console=self._out.console, auto_refresh=False, vertical_overflow="crop"
        ) as live:
            while True:
                try:
                    live.update(await self._drawn(), refresh=True)
                except StoreError as error:
                    live.update(Text(f"the store: {error}", style="red"), refresh=True)
                await pause_for(FRAME_EVERY)

    async def _drawn(self) -> RenderableType:
        frame = await read_frame(self._scheduler)
        self._started_at = self._started_at or frame.now
        width, height = self._out.console.size
        parts: list[RenderableType] = [
            header(
                frame,
                title=TITLE,
                rate=self._rate.observe(frame),
                started_at=self._started_at,
            )
        ]
        lines = await self.resumed(frame)
        if lines:
            is_recovery = self._found is not None and bool(self._found.going)
            parts.append(resumption_panel(lines, is_recovery=is_recovery))
            height -= len(lines) + 2
        rows = max(RECENT_MIN, height - len(frame.snapshot.jobs) - LINES_AROUND)
        hint = "stopping: runs have two seconds to end" if self.is_stopping else HINT
        parts += [
            jobs_board(frame, width=width),
            Text(),
            recent_board(frame, rows=rows, width=width),
            Text(f"\n{hint}", style="dim"),
        ]
        return Group(*parts)

    async def resumed(self, frame: Frame) -> list[str]:
        """Tell what was found in the file, and what became of it."""
        if self._found is None:
            return []
        started_at = self._started_at or frame.now
        seen = await read_resumption(self._scheduler, self._found, frame=frame)
        return resumption_lines(seen, started_at=started_at)


class Lines:
    """The demo without a terminal: a line for each event.

    Args:
        scheduler: Running.
        screen: Knows what was resumed.
        out: Where to write.
    """

    def __init__(self, scheduler: Scheduler, *, screen: Screen, out: Output) -> None:
        self._scheduler, self._screen, self._out = scheduler, screen, out
        self._told = set[str]()

    async def run(self) -> None:
        """Write, until cancelled."""
        frame = await read_frame(self._scheduler)
        self._out.line(f"{TITLE} on {frame.url} as {self._scheduler.instance_id}")
        for line in await self._screen.resumed(frame):
            self._out.line(line)
        is_first = True
        async for event in self._scheduler.events():
            if is_first:
                await self._tell_of_earlier(event)
            is_first = False
            if (text := await self._line_of(event)) is not None:
                self._tell(event.at, text)

    def _tell(self, at: datetime, text: str) -> None:
        self._out.line(f"{at.astimezone():%H:%M:%S}  {text}")

    async def _tell_of_earlier(self, event: EventSnapshot) -> None:
        """Tell of runs that had started before the first event was heard."""
        for run in (await read_frame(self._scheduler)).snapshot.running:
            # The store learns of a start within a second, so the due time has to do.
            started_at = run.started_at or run.ready_at
            if started_at < event.at:
                self._told.add(run.id)
                self._tell(started_at, f"{run.job_id:<16} started")

    async def _line_of(self, event: EventSnapshot) -> str | None:
        job = f"{event.job_id or '':<16}"
        match event.kind:
            case EventKind.RUN_STARTED if event.run_id in self._told:
                self._told.discard(event.run_id)
                return None
            case EventKind.RUN_STARTED:
                return f"{job} started"
            case EventKind.RUN_FINISHED if event.run_id is not None:
                try:
                    run = await self._scheduler.get_run(event.run_id)
                except UnknownRunError:
                    return f"{job} {event.detail}"
                return f"{job} {_ending(run)}"
            case kind if kind in UNTOLD:
                return None
            case _:
                words = event.kind.replace("_", " ")
                detail = event.detail or ("" if event.job_id else event.instance)
                return f"{job} {words} {detail}".rstrip()


def _ending(run: RunSnapshot) -> str:
    if run.outcome is None:
        return str(run.state)
    text = f"{outcome_sign(run.outcome)} {run.outcome}"
    if run.attempt > 1:
        text += f" at attempt {run.attempt}"
    if run.duration is not None:
        text += f" after {span_words(run.duration)}"
    note = run_note(run)
    return f"{text}: {note}" if note else text
