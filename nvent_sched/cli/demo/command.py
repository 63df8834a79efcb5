"""`demo`: put the jobs on a file, run them, show them, and say how to go on."""

from __future__ import annotations

import logging
import os
import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.text import Text

from nvent_sched._views.words import count_words
from nvent_sched.adapters import open_adapter
from nvent_sched.cli.board import Frame, read_frame
from nvent_sched.cli.client import file_of, is_missing, opened
from nvent_sched.cli.demo.companions import Companions
from nvent_sched.cli.demo.jobs import DemoJobs, demo_scheduler
from nvent_sched.cli.demo.resumption import Found, read_found
from nvent_sched.cli.demo.screen import Lines, Screen
from nvent_sched.cli.serving import Life
from nvent_sched.cli.sheets import pairs
from nvent_sched.cli.waiting import pause_for
from nvent_sched.errors import UsageError
from nvent_sched.scheduler import STORE_VARIABLE, Scheduler

if TYPE_CHECKING:
    import argparse
    from datetime import timedelta

    from nvent_sched.cli.exits import Exit
    from nvent_sched.cli.output import Output

DEMO_URL: Final = "sqlite:///nvent-sched-demo.db"
PARTS: Final = ("", "-wal", "-shm")
FIRST_REPORT: Final = "first-report"


async def demo(asked: argparse.Namespace, out: Output) -> Exit:
    """Run the demo until a signal comes or its time is over."""
    # What goes wrong on purpose is shown, and need not be logged as well.
    logging.getLogger("nvent_sched").addHandler(logging.NullHandler())
    url = asked.store or os.environ.get(STORE_VARIABLE) or DEMO_URL
    if asked.instances > 1 and not open_adapter(url).traits.is_shared:
        msg = f"processes cannot share {url}: name a file or a server with --store"
        raise UsageError(msg)
    path = file_of(Scheduler(url))
    found = await _found(url, path)
    if asked.fresh and path is not None and found is not None:
        _remove(path, found)
        found = None
    session = Demo(url, found=found, out=out)
    return await session.run(seconds=asked.seconds, instances=asked.instances)


class Demo:
    """One session of the demo.

    Args:
        url: Its store.
        found: What is in it; None for a new one.
        out: Where to show it.
    """

    def __init__(self, url: str, *, found: Found | None, out: Output) -> None:
        self._url, self._found, self._out = url, found, out
        self._jobs = DemoJobs(_folder(file_of(Scheduler(url))))
        self._scheduler = demo_scheduler(url, self._jobs)
        self._screen = Screen(self._scheduler, found=found, out=out)
        self._life = Life(self._scheduler, grace=None, say=self._say)

    async def run(self, *, seconds: timedelta | None, instances: int) -> Exit:
        """Run it until a signal comes, or for so long.

        Args:
            seconds: For how long.
            instances: How many share the jobs: ourselves, and so many more processes.
        """

        async def begin() -> None:
            if self._found is None or not self._found.runs:
                await self._scheduler.run_now("report", idempotency_key=FIRST_REPORT)
            if seconds is not None:
                await pause_for(seconds)
                self._life.stop()

        beside = [self._jobs.run_worker, begin]
        if instances > 1:
            others = Companions(
                self._url,
                count=instances - 1,
                scheduler=self._scheduler,
                say=self._say_aside,
            )
            beside.append(others.run)
        if self._out.is_live:
            beside.append(self._screen.run)
        elif not self._out.is_json:
            beside.append(
                Lines(self._scheduler, screen=self._screen, out=self._out).run
            )
        try:
            return await self._life.live(*beside, last=self._sum_up)
        finally:
            self._jobs.tidy()

    def _say(self, text: str) -> None:
        self._screen.is_stopping = True
        self._say_aside(text)

    def _say_aside(self, text: str) -> None:
        if not self._out.is_live and not self._out.is_json:
            self._out.line(text)

    async def _sum_up(self) -> None:
        frame = await read_frame(self._scheduler)
        before = 0 if self._found is None else self._found.runs
        _show_sum(frame, self._out, url=self._url, before=before)


async def _found(url: str, path: Path | None) -> Found | None:
    """Read what is in the file; None if it is new or there is none."""
    if path is None or is_missing(path):
        return None
    async with opened(url) as scheduler:
        return await read_found(scheduler)


def _folder(path: Path | None) -> Path:
    if path is None:
        return Path(tempfile.mkdtemp(prefix="nvent-sched-demo-"))
    return path.with_name(f"{path.name}.scratch")


def _remove(path: Path, found: Found) -> None:
    """Remove the demo's file.

    Raises:
        UsageError: Somebody uses it.
    """
    for each in found.instances:
        if each.host == platform.node() and _is_alive(each.pid):
            msg = f"{path} is in use by process {each.pid}; stop it first"
            raise UsageError(msg)
    for part in PARTS:
        path.with_name(path.name + part).unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _show_sum(frame: Frame, out: Output, *, url: str, before: int) -> None:
    """Say what ran, and how to go on."""
    shot = frame.snapshot
    if out.is_json:
        out.document({"store": frame.url, "runs_before": before, "snapshot": shot})
        return
    store = "" if url == os.environ.get(STORE_VARIABLE) else f" --store {url}"
    total = shot.total
    out.line("")
    out.line(
        Text(
            f"{count_words(total.runs - before, 'run')} in this session, "
            f"{total.runs:,} in all: "
            + ", ".join(f"{count:,} {kind}" for kind, count in total.counts.items()),
            style="bold",
        )
    )
    if frame.ready:
        names = ", ".join(dict.fromkeys(run.job_id for run in frame.ready))
        out.line(f"given back, to be taken up at the next start: {names}")
    if file_of(Scheduler(url)) is None:
        return
    again = "nvent-sched demo" + ("" if url == DEMO_URL else store)
    out.show(
        pairs(
            [
                ("resume", again),
                ("recover", "kill -9 it while the report is going, then run it again"),
                ("look", f"nvent-sched show daily-cleanup{store}"),
                ("", f"nvent-sched runs --outcome failed{store}"),
                ("start anew", f"{again} --fresh"),
            ]
        )
    )
