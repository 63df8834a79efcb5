"""The jobs of the demo. What they do is real: files, a worker that stalls, failures."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from zlib import crc32

import anyio

from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.policies import Retry
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched._views.words import count_words, size_words
from nvent_sched.cli.waiting import CLOCK, pause_for
from nvent_sched.errors import UsageError
from nvent_sched.scheduler import Scheduler

if TYPE_CHECKING:
    from pathlib import Path

    from nvent_sched._engine.context import RunContext

IDS: Final = ("stall-detection", "daily-cleanup", "reminder", "flaky-import", "report")
GRACE: Final = timedelta(seconds=2)
HEARTBEAT_EVERY: Final = timedelta(seconds=1)
DEAD_AFTER: Final = timedelta(seconds=5)
HEARTBEAT: Final = "heartbeat"
BEAT_EVERY: Final = timedelta(seconds=1)
BEATS_BEFORE_STALL: Final = 40
BEATS_STALLED: Final = 12
STALLED_US: Final = 5 * SECOND_US
OLD_FILES: Final = 3
OLD_BYTES: Final = 40_000
OLD_AGE_S: Final = 3_600
NANOSECONDS: Final = 1_000
PAGES: Final = 20
PAGE: Final = timedelta(seconds=1)


class DemoJobs:
    """What the demo's jobs do, in a folder of their own.

    Args:
        folder: Where the files are; made if it is missing.

    Raises:
        UsageError: It cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.beat()
        except OSError as error:
            msg = (
                f"the demo needs a folder to write to ({error}); name one with --store"
            )
            raise UsageError(msg) from error

    def beat(self) -> None:
        """Say that the worker lives."""
        # Another demo on the same file may take the folder away when it ends.
        self.folder.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            (self.folder / HEARTBEAT).touch()

    async def run_worker(self) -> None:
        """Be the worker that `stall-detection` watches: it stalls now and then."""
        beats = 0
        while True:
            if beats % (BEATS_BEFORE_STALL + BEATS_STALLED) < BEATS_BEFORE_STALL:
                await anyio.to_thread.run_sync(self.beat)
            beats += 1
            await pause_for(BEAT_EVERY)

    def check_for_stalls(self, run: RunContext) -> str:
        """Look how long the worker has been silent."""
        try:
            beat_us = (self.folder / HEARTBEAT).stat().st_mtime_ns // NANOSECONDS
        except FileNotFoundError:
            return "there is no worker"
        silent_us = max(0, CLOCK.now() - beat_us)
        text = f"silent for {silent_us / SECOND_US:.1f} s"
        if silent_us > STALLED_US:
            run.log(f"the worker stalled: {text}")
            return f"STALLED: the worker is {text}"
        return f"the worker lives, {text}"

    def clean_up(self, run: RunContext) -> str:
        """Leave some old files, as programs do, and delete every old file there is."""
        stamp = run.scheduled_time.strftime("%H%M%S")
        now_s = CLOCK.now() // SECOND_US
        self.folder.mkdir(exist_ok=True)
        for number in range(OLD_FILES):
            path = self.folder / f"old-{stamp}-{number}.tmp"
            size = OLD_BYTES + crc32(path.name.encode()) % OLD_BYTES
            path.write_bytes(b"\0" * size)
            os.utime(path, (now_s - OLD_AGE_S, now_s - OLD_AGE_S))
        freed_bytes, count = 0, 0
        for path in self.folder.glob("old-*.tmp"):
            if now_s - path.stat().st_mtime >= OLD_AGE_S:
                freed_bytes += path.stat().st_size
                path.unlink()
                count += 1
        run.log(f"freed {freed_bytes} bytes")
        return f"freed {size_words(freed_bytes)} in {count_words(count, 'file')}"

    def remind(self) -> str:
        """Remind, once."""
        return "drink some water"

    def import_rows(self, run: RunContext) -> str:
        """Import from a source that fails at first, and one time in four for good."""
        luck = crc32(run.id.encode()) % 4
        if run.attempt < (2 if luck == 1 else 3) or luck == 0:
            msg = f"the source did not answer (attempt {run.attempt})"
            raise ConnectionError(msg)
        rows = 100 + crc32(run.id.encode()) % 900
        return f"{rows} rows at attempt {run.attempt}"

    async def write_report(self, run: RunContext) -> str:
        """Take a while, and say how far it is."""
        for page in range(PAGES):
            run.progress(page / PAGES, f"page {page + 1} of {PAGES}")
            await pause_for(PAGE)
        run.progress(1.0)
        return f"{PAGES} pages"

    def tidy(self) -> None:
        """Take away what is only the demo's."""
        for path in (self.folder / HEARTBEAT, *self.folder.glob("old-*.tmp")):
            path.unlink(missing_ok=True)
        try:
            self.folder.rmdir()
        except OSError:
            return  # somebody put something of their own there


def demo_scheduler(url: str, jobs: DemoJobs) -> Scheduler:
    """Declare the demo's jobs."""
    scheduler = Scheduler(
        url, grace=GRACE, heartbeat=HEARTBEAT_EVERY, dead_after=DEAD_AFTER
    )
    scheduler.job(
        Interval(seconds=4),
        id="stall-detection",
        name="Look whether the worker has stalled",
        tags=["ops"],
    )(jobs.check_for_stalls)
    scheduler.job(
        Cron("*/10 * * * * *"),
        id="daily-cleanup",
        name="Delete old temporary files (a day has 10 seconds here)",
        tags=["ops"],
    )(jobs.clean_up)
    scheduler.job(
        OneTime(in_=timedelta(seconds=5)), id="reminder", name="Remind, once"
    )(jobs.remind)
    scheduler.job(
        Interval(seconds=15),
        id="flaky-import",
        name="Import from a source that fails at first",
        retry=Retry(attempts=3, delay=timedelta(seconds=1), backoff=2.0),
    )(jobs.import_rows)
    scheduler.job(
        Interval(seconds=45), id="report", name="Write a long report", tags=["long"]
    )(jobs.write_report)
    return scheduler
