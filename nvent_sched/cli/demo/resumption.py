"""What the demo found in its file, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.box import ROUNDED
from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from nvent_sched._model.runs import Origin, Outcome, RunState
from nvent_sched._views.words import count_words, whole_words
from nvent_sched.cli.demo.jobs import IDS
from nvent_sched.errors import UnknownRunError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from nvent_sched._model.snapshots import InstanceSnapshot, RunSnapshot
    from nvent_sched.cli.board import Frame
    from nvent_sched.scheduler import Scheduler

FOLLOWED_MAX: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A demo's file before this start.

    Attributes:
        runs: How many runs had ended.
        failures: How many of them as a failure.
        missed: How many occurrences had been missed.
        seen_at: The last sign of life; None for none.
        instances: Who was still listed: it died, or runs beside us.
        going: Runs that somebody had claimed.
        given_back: Runs that a stop in order had broken off.
    """

    runs: int
    failures: int
    missed: int
    seen_at: datetime | None
    instances: tuple[InstanceSnapshot, ...]
    going: tuple[RunSnapshot, ...]
    given_back: tuple[RunSnapshot, ...]


async def read_found(scheduler: Scheduler) -> Found:
    """Look at the file before anything is started on it.

    Raises:
        UsageError: It holds jobs that are not the demo's.
    """
    shot = await scheduler.snapshot()
    foreign = [job.id for job in shot.jobs if job.id not in IDS]
    if foreign:
        msg = (
            f"{scheduler.url} holds jobs that are not the demo's ({foreign[0]!r}); "
            "give the demo a file of its own with --store"
        )
        raise UsageError(msg)
    ready = await scheduler.runs(state=RunState.READY)
    signs = [each.heartbeat_at for each in shot.instances]
    if shot.total.last_finished_at is not None:
        signs.append(shot.total.last_finished_at)
    return Found(
        runs=shot.total.runs,
        failures=shot.total.failures,
        missed=shot.total.counts.get(Outcome.MISSED, 0),
        seen_at=max(signs, default=None),
        instances=shot.instances,
        going=shot.running,
        given_back=tuple(run for run in ready if run.origin is Origin.RECOVERY),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """What was found, and how it stands now.

    Attributes:
        down_for: How long nobody had been there; None if unknown.
        dead: Instances that died without a word.
        beside: Instances that run at the same time as this one.
        followed: By run id: how a run stands that was found going or given back.
    """

    found: Found
    frame: Frame
    dead: tuple[InstanceSnapshot, ...]
    beside: tuple[InstanceSnapshot, ...]
    followed: dict[str, RunSnapshot]

    @property
    def missed(self) -> int:
        """How many occurrences were found to be missed since."""
        counts = self.frame.snapshot.total.counts
        return counts.get(Outcome.MISSED, 0) - self.found.missed


async def read_resumption(
    scheduler: Scheduler, found: Found, *, frame: Frame
) -> Resumption:
    """See what became of what was found."""
    alive = {each.id for each in frame.snapshot.instances}
    followed: dict[str, RunSnapshot] = {}
    for run in (*found.going, *found.given_back)[:FOLLOWED_MAX]:
        try:
            followed[run.id] = await scheduler.get_run(run.id)
        except UnknownRunError:
            continue
    return Resumption(
        found=found,
        frame=frame,
        dead=tuple(each for each in found.instances if each.id not in alive),
        beside=tuple(each for each in found.instances if each.id in alive),
        followed=followed,
    )


def resumption_lines(resumption: Resumption, *, started_at: datetime) -> list[str]:
    """Tell it, a line each."""
    found, path = resumption.found, resumption.frame.url.removeprefix("sqlite:///")
    lines = [
        (
            f"resumed from {path}: {count_words(found.runs, 'run')} so far, "
            f"{found.failures:,} failed; statistics go on"
        )
    ]
    down = None if found.seen_at is None else started_at - found.seen_at
    if down is not None and not resumption.beside:
        told = f"it was down for {whole_words(down)}"
        if resumption.missed:
            told += (
                f"; {count_words(resumption.missed, 'occurrence')} fell into that time "
                "and counted as missed"
            )
        lines.append(told)
    lines += [
        f"process {each.pid} died without a word (kill -9?): seen at once, its lock is free"
        for each in resumption.dead
    ]
    lines += [
        f"process {each.pid} runs on the same file: they share the jobs"
        for each in resumption.beside
    ]
    dead = {each.id for each in resumption.dead}
    lost = [run for run in found.going if run.instance in dead]
    if lost:
        was = "was" if len(lost) == 1 else "were"
        lines.append(
            f"{count_words(len(lost), 'run')} {was} lost with the killed process and "
            f"{was} taken up again:"
        )
    lines += [_followed(run, resumption, "killed") for run in lost]
    lines += [_followed(run, resumption, "stopped") for run in found.given_back]
    return lines


def _followed(before: RunSnapshot, resumption: Resumption, how: str) -> str:
    share = (
        "" if before.progress is None else f", {before.progress:.0%} done when {how}"
    )
    run = resumption.followed.get(before.id)
    if run is None:
        return f"  {before.job_id}{share}"
    if run.outcome is not None:
        state = str(run.outcome)
    elif run.started_at is not None and run.state is RunState.CLAIMED:
        state = "running" if run.progress is None else f"running, {run.progress:.0%}"
    else:
        state = "about to run"
    verb = "" if how == "killed" else " was given back at the last stop"
    return f"  {before.job_id}{verb}{share} → attempt {run.attempt}: {state}"


def resumption_panel(lines: list[str], *, is_recovery: bool) -> Panel:
    """Show it in a frame."""
    first = Text(lines[0], style="bold", overflow="fold")
    return Panel(
        Group(first, *(Text(line, overflow="fold") for line in lines[1:])),
        box=ROUNDED,
        border_style="yellow" if is_recovery else "green",
        padding=(0, 1),
    )
