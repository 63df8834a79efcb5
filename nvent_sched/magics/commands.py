"""The two magics themselves."""

from __future__ import annotations

from datetime import UTC
from inspect import getdoc
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from IPython.core.error import UsageError as ShownError

from nvent_sched._views.objects import overview_html
from nvent_sched._views.texts import overview_text
from nvent_sched._views.words import moment_words
from nvent_sched.blocking import BlockingScheduler
from nvent_sched.errors import SchedError
from nvent_sched.magics.arguments import is_help, jobs_arguments, schedule_arguments
from nvent_sched.magics.cells import handler_of_cell, id_of_cell, name_of_cell
from nvent_sched.magics.finding import answer_of, is_running, scheduler_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from IPython.core.interactiveshell import InteractiveShell

    from nvent_sched._model.snapshots import SchedulerSnapshot
    from nvent_sched.scheduler import Scheduler

JOBS_MAX = 200
ONLY_HERE = (
    "Its code lives only in this kernel: when the kernel ends, the job waits until this "
    "cell is executed again."
)
FORGETS = " (A store in memory forgets the job itself as well.)"


class JobsTable:
    """The jobs of a scheduler at one moment, for people."""

    def __init__(self, seen: SchedulerSnapshot, *, used: str) -> None:
        self._seen, self._used = seen, used

    def __repr__(self) -> str:
        """Write it as text."""
        return f"{overview_text(self._seen)}\n{self._used}"

    def _repr_html_(self) -> str:
        return overview_html(self._seen, source=self._used)


class Commands:
    """What `%load_ext nvent_sched` brings.

    Args:
        shell: Who asks.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    def schedule(self, line: str, cell: str) -> None:
        """Make a job of this cell's code: %%schedule "0 7 * * *" [--tz ...] [--id ...].

        The cell is not executed now, but at its times, in this kernel: it sees the
        notebook's variables, may await, and what it prints goes into its run's log. The
        same cell executed again replaces the job.

            %%schedule "30 9 * * mon-fri" --tz Europe/Berlin --id report
            %%schedule --every 15m
            %%schedule --in 2h

        --name is what people call it (without one, a comment in the first line), --on
        the variable that holds the scheduler.
        """
        if is_help(line):
            print(getdoc(self.schedule))  # noqa: T201
            return
        try:
            print(self._scheduled(schedule_arguments(line), cell))  # noqa: T201
        except SchedError as error:
            raise ShownError(str(error)) from error

    def jobs(self, line: str) -> JobsTable | None:
        """Show the jobs and how they do: %jobs [--on SCHEDULER]."""
        if is_help(line):
            print(getdoc(self.jobs))  # noqa: T201
            return None
        try:
            found, scheduler = self._found(jobs_arguments(line))
            seen: SchedulerSnapshot = answer_of(scheduler.snapshot(limit=JOBS_MAX))
        except SchedError as error:
            raise ShownError(str(error)) from error
        return JobsTable(seen, used=f"of {found}: {scheduler!r}")

    def _found(
        self, asked: argparse.Namespace
    ) -> tuple[str, Scheduler | BlockingScheduler]:
        return scheduler_of(self._shell.user_ns, asked=asked.on)

    def _scheduled(self, asked: argparse.Namespace, cell: str) -> str:
        found, scheduler = self._found(asked)
        job_id = asked.id or id_of_cell(self._shell, cell)
        handler = handler_of_cell(self._shell, cell, name=job_id)
        name = asked.name or name_of_cell(cell)
        when = _declared(scheduler, handler, asked=asked, name=name)
        note = FORGETS if scheduler.url.startswith("memory:") else ""
        return f"Job {job_id!r}: {when}\nOn {found}: {scheduler!r}\n{ONLY_HERE}{note}"


def _declared(
    scheduler: Scheduler | BlockingScheduler,
    handler: Callable[[], Any],
    *,
    asked: argparse.Namespace,
    name: str | None,
) -> str:
    """Give a scheduler the job; say when it runs."""
    words, job_id = asked.schedule.describe(), handler.__name__
    if isinstance(scheduler, BlockingScheduler) and is_running(scheduler):
        named = scheduler.handler(job_id)(handler)
        job = scheduler.schedule(named, asked.schedule, id=job_id, name=name)
        zone = ZoneInfo(asked.tz) if asked.tz else UTC
        return f"{words}; next {moment_words(job.next_due, zone=zone)} {zone}"
    # An async scheduler stores it as soon as the cell has ended.
    scheduler.job(asked.schedule, id=job_id, name=name)(handler)
    return words if is_running(scheduler) else f"{words}; from the scheduler's start"
