"""What a handler is told about its run, and what it can say."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import moment_from
from nvent_sched._model.runs import LOG_LINE_MAX, LOG_LINES_MAX, PROGRESS_NOTE_MAX
from nvent_sched.errors import LostClaimError, SchedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from nvent_sched._model.runs import Origin, Run

LOG_FULL: Final = "(more lines were dropped)"
_printing: Final = threading.Lock()  # one for all: printing is rare, runs are many


class RunCancelledError(SchedError):
    """The run was cancelled; raised by `RunContext.check_cancelled`."""


class RunContext:
    """One attempt of a run, as its handler sees it.

    Every method may be called from any thread. Nothing here waits or touches the store:
    progress and log lines are written with the next renewal and at the end.

    Attributes:
        is_cancelled: Whether the run should stop: cancelled, timed out, lost, or
            shutting down.
        cancel_reason: Why; None while it need not stop.
        progress_share: The share that is done, 0 to 1; None while it did not say.
        progress_note: What it said of it.
        is_over: Whether the handler has ended: nothing it left behind writes to the log.
    """

    def __init__(self, run: Run, *, on_progress: Callable[[str], None]) -> None:
        self._run = run
        self._on_progress = on_progress
        self._lines: list[str] = list(run.log)
        # A plain flag: setting and reading one is atomic, and nobody waits for it.
        self.is_cancelled: bool = False
        self.cancel_reason: str | None = None
        self._is_lost = False
        self.progress_share: float | None = None
        self.progress_note: str | None = None
        self.is_over: bool = False
        self._begun = ""

    @property
    def id(self) -> str:
        """The run's id; the same for each of its attempts."""
        return self._run.id

    @property
    def job_id(self) -> str:
        """The job's id."""
        return self._run.job_id

    @property
    def attempt(self) -> int:
        """Which try this is, from 1."""
        return self._run.attempt

    @property
    def origin(self) -> Origin:
        """Why the run exists."""
        return self._run.origin

    @property
    def scheduled_time(self) -> datetime:
        """The nominal instant it was scheduled for, in UTC."""
        return moment_from(self._run.scheduled_time)

    @property
    def due_time(self) -> datetime:
        """The same after jitter and spread, in UTC."""
        return moment_from(self._run.due_time)

    @property
    def fencing_token(self) -> int:
        """Grows with every claim: pass it on to whatever must refuse a stale owner."""
        return self._run.fence

    def check_cancelled(self) -> None:
        """Stop here if the run should stop; for loops in plain functions.

        Raises:
            RunCancelledError: It should.
            LostClaimError: It should, because another instance may have the run by now:
                nothing that is done from here on is ours to do.
        """
        if self._is_lost:
            raise LostClaimError(run_id=self.id, fence=self.fencing_token)
        if self.is_cancelled:
            msg = f"run {self.id} was cancelled: {self.cancel_reason}"
            raise RunCancelledError(msg)

    def progress(self, share: float, note: str | None = None) -> None:
        """Say how far the run is.

        Args:
            share: 0 to 1; what is outside is moved to the nearer end.
            note: A few words; cut after 200 characters.

        Raises:
            UsageError: *share* is not a number.
        """
        if isinstance(share, bool) or not isinstance(share, int | float):
            msg = f"progress must be a number between 0 and 1, not {share!r}"
            raise UsageError(msg)
        # A comparison with NaN is false, so NaN becomes 0 here.
        self.progress_share = min(1.0, float(share)) if share > 0 else 0.0
        self.progress_note = None if note is None else str(note)[:PROGRESS_NOTE_MAX]
        self._on_progress(self.id)

    def heartbeat(self) -> None:
        """Say that the run is alive, without saying how far it is."""
        self._on_progress(self.id)

    def log(self, line: object) -> None:
        """Add a line to the run's log; the last 200 are kept, each cut at 1,000."""
        self._lines.append(str(line)[:LOG_LINE_MAX])
        if len(self._lines) > LOG_LINES_MAX:
            del self._lines[: len(self._lines) - LOG_LINES_MAX + 1]
            self._lines.insert(0, LOG_FULL)

    def write(self, text: str) -> int:
        """Add text to the run's log, line by line: `print("42 rows", file=run)`.

        What a carriage return starts anew, as progress bars do, replaces what was
        before it in the line.

        Returns:
            How many characters were taken: all.
        """
        with _printing:
            *lines, self._begun = (self._begun + text).split("\n")
            # The start of a line that never ends is bounded as well.
            self._begun = _overwritten(self._begun)
            for line in lines:
                self.log(_overwritten(line).rstrip("\r"))
        return len(text)

    def flush(self) -> None:
        """Do nothing: a line is added when it ends. For `print(..., flush=True)`."""

    def end_output(self) -> None:
        """Add the line that was begun; what is written later belongs to no run."""
        self.is_over = True
        if self._begun:
            with _printing:
                begun, self._begun = self._begun.rstrip("\r"), ""
                self.log(begun)

    @property
    def lines(self) -> tuple[str, ...]:
        """The log so far, earlier attempts included."""
        return tuple(self._lines)

    def request_stop(self, reason: str, *, is_lost: bool = False) -> None:
        """Tell the handler to stop; the first reason stays."""
        self._is_lost |= is_lost
        if self.cancel_reason is None:
            self.cancel_reason = reason
        self.is_cancelled = True

    def is_of(self, instance_id: str) -> bool:
        """Say whether that instance has the run."""
        return self._run.instance == instance_id

    def __repr__(self) -> str:
        """Say which attempt of which run."""
        return f"<RunContext {self.id} attempt {self.attempt}>"


def _overwritten(line: str) -> str:
    """Say what of a line is seen, if the carriage goes back to its start."""
    ended = line.rstrip("\r")
    return ended.rpartition("\r")[2][:LOG_LINE_MAX] + line[len(ended) :][:1]
