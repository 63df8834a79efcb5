"""The command line: what can be asked for, and how."""

from __future__ import annotations

import argparse
import textwrap
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import PAGE_MAX
from nvent_sched._model.runs import Outcome, RunState
from nvent_sched.cli.exits import MEANINGS

if TYPE_CHECKING:
    from typing import Protocol

    class Group(Protocol):
        """What argparse calls an action with subparsers."""

        def add_parser(
            self,
            name: str,
            *,
            help: str,  # noqa: A002  argparse's word
            description: str,
        ) -> argparse.ArgumentParser:
            """Add a command."""
            ...


ABOUT: Final = "Look at, steer and run what waits for time."
INSTANCES_MAX: Final = 16
NEWCOMER: Final = "New here? `nvent-sched demo` runs real jobs and shows them."
HELP_WIDTH: Final = 78
SECONDS_MAX: Final = 10 * 365 * 86_400


def parser_of_commands() -> argparse.ArgumentParser:
    """Make the parser; what it returns has `command` and the command's own names."""
    codes = "\n".join(
        textwrap.fill(f"{code:>5}  {text}", width=HELP_WIDTH, subsequent_indent=" " * 7)
        for code, text in MEANINGS.items()
    )
    parser = argparse.ArgumentParser(
        prog="nvent-sched",
        description=f"{ABOUT}\n{NEWCOMER}",
        epilog=f"exit codes:\n{codes}\n\nJSON: moments are ISO 8601 in UTC, lengths "
        "of time are seconds\nunless the name says otherwise.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"nvent-sched {version('nvent_sched')}"
    )
    _add_common(parser, is_top=True)
    group = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_running(group)
    _add_looking(group)
    _add_steering(group)
    return parser


def _add_common(parser: argparse.ArgumentParser, *, is_top: bool) -> None:
    """Add what may stand before and after the command; after it wins."""

    def default(value: object) -> object:
        return value if is_top else argparse.SUPPRESS

    common = parser.add_argument_group("for every command")
    common.add_argument(
        "--store",
        metavar="URL",
        default=default(None),
        help="the store, e.g. sqlite:///jobs.db; without it NVENT_SCHED_URL, else "
        "sqlite:///nvent_sched.db",
    )
    common.add_argument(
        "--json",
        action="store_true",
        default=default(False),  # noqa: FBT003  argparse's own word
        help="print one JSON document",
    )
    common.add_argument(
        "--backend",
        choices=("asyncio", "trio"),
        default=default("asyncio"),
        help="the event loop (default: asyncio)",
    )
    common.add_argument(
        "--debug",
        action="store_true",
        default=default(False),  # noqa: FBT003  argparse's own word
        help="show tracebacks of errors",
    )


def _command(group: Group, name: str, about: str) -> argparse.ArgumentParser:
    parser = group.add_parser(
        name, help=about, description=f"{about[0].upper()}{about[1:]}."
    )
    _add_common(parser, is_top=False)
    return parser


def _add_running(group: Group) -> None:
    demo = _command(group, "demo", "run real jobs on a SQLite file and show them")
    demo.epilog = (
        "The file is nvent-sched-demo.db in the working folder, unless --store or "
        "NVENT_SCHED_URL names another. Run again, it resumes."
    )
    demo.add_argument("--seconds", type=_span, help="stop by itself after so long")
    demo.add_argument(
        "--fresh", action="store_true", help="remove the demo's file first"
    )
    demo.add_argument(
        "--instances",
        type=_instances,
        default=1,
        metavar="N",
        help="share the jobs among so many processes, and kill one of them",
    )
    run = _command(group, "run", "run a scheduler of yours until a signal comes")
    run.add_argument("target", metavar="MODULE:SCHEDULER", help="for example app:jobs")
    run.add_argument(
        "--grace",
        type=_span,
        metavar="SECONDS",
        help="how long runs may take to end; the scheduler's own without it",
    )
    run.add_argument(
        "--log-level",
        default="INFO",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        help="what is logged to stderr, if the module sets up no logging (INFO)",
    )
    coming = _command(group, "next", "say when a cron expression fires; needs no store")
    coming.add_argument("expr", metavar="EXPR", help="for example '0 2 * * *'")
    coming.add_argument("--tz", metavar="ZONE", default="UTC", help="e.g. Europe/Paris")
    coming.add_argument("--n", type=_count, default=5, help="how many (default: 5)")
    coming.add_argument(
        "--after",
        metavar="ISO",
        type=_moment,
        help="from when (default: now); without an offset it is a time in ZONE",
    )
    _add_simulate(group)
    watch = _command(group, "watch", "look at the jobs while they run; Ctrl-C ends it")
    watch.add_argument("--once", action="store_true", help="print one frame and end")


def _add_simulate(group: Group) -> None:
    simulate = _command(
        group, "simulate", "simulate instances over a faulty store; needs no store"
    )
    simulate.epilog = (
        "Everything is drawn from a seed: clocks, faults, kills, pauses, the order of "
        "tasks. A seed that fails is its own reproduction."
    )
    one = simulate.add_mutually_exclusive_group()
    one.add_argument("--seed", type=int, metavar="N", help="only this seed")
    one.add_argument(
        "--scenario", metavar="NAME", help="a known failure by its name; all; list"
    )
    one.add_argument(
        "--faults",
        type=_count,
        metavar="CALLS",
        help="one fault at a time: each verb, each way, at each of its first calls",
    )
    one.add_argument("--seeds", type=_many, metavar="N", help="so many (default: 100)")
    simulate.add_argument(
        "--seconds", type=_span, help="begin no more after so long, however many"
    )
    simulate.add_argument(
        "--first", type=int, default=0, metavar="N", help="the first of many (0)"
    )
    simulate.add_argument(
        "--processes", type=_instances, metavar="N", help="how many at once"
    )
    simulate.add_argument(
        "--log", action="store_true", help="with --seed: print what the store was asked"
    )


def _add_looking(group: Group) -> None:
    jobs = _command(group, "jobs", "list jobs")
    jobs.add_argument("--status", choices=[*map(str, JobStatus)])
    jobs.add_argument("--tag", help="jobs that have it")
    jobs.add_argument("--text", help="part of the id or the name")
    _add_limit(jobs)
    show = _command(
        group, "show", "show one job: policies, next times, statistics, runs"
    )
    show.add_argument("id", metavar="ID")
    runs = _command(group, "runs", "list runs, and what was not run, the newest first")
    runs.add_argument("id", metavar="JOB", nargs="?")
    runs.add_argument("--outcome", choices=[*map(str, Outcome)])
    runs.add_argument("--state", choices=[*map(str, RunState)])
    _add_limit(runs)
    stats = _command(group, "stats", "show the statistics of a job, or of all")
    stats.add_argument("id", metavar="JOB", nargs="?")
    check = _command(
        group, "check", "look for broken invariants and dangerous settings"
    )
    check.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 also for dangerous settings and missing handlers ('!')",
    )
    verify = _command(
        group,
        "verify",
        "judge the history: was every occurrence run, once and in order",
    )
    verify.add_argument("--job", metavar="ID", help="only this job")
    verify.add_argument(
        "--since", metavar="ISO", type=_moment, help="only occurrences after it"
    )
    verify.add_argument(
        "--late-after",
        type=_span,
        metavar="SECONDS",
        help="a start that much later, with nothing in its way, is wrong as well",
    )


def _add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit", type=_count, default=100, help="how many at most (default: 100)"
    )


def _add_steering(group: Group) -> None:
    pause = _command(group, "pause", "stop a job from firing until it is resumed")
    pause.add_argument("id", metavar="ID")
    pause.add_argument("--reason", default="", help="kept with the job and shown")
    resume = _command(group, "resume", "let a paused job fire again")
    resume.add_argument("id", metavar="ID")
    resume.add_argument(
        "--catch-up",
        action="store_true",
        help="treat what fell into the pause as missed, by the misfire policy",
    )
    run_now = _command(
        group, "run-now", "ask for a run; the schedule stays where it is"
    )
    run_now.add_argument("id", metavar="ID")
    run_now.add_argument("--key", help="asking twice with one key gives one run")
    run_now.add_argument(
        "--wait",
        type=_span,
        nargs="?",
        metavar="SECONDS",
        const=timedelta.max,
        help="wait for its end, for so long at most",
    )
    remove = _command(group, "remove", "forget a job, its statistics and its history")
    remove.add_argument("id", metavar="ID")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    cancel = _command(group, "cancel", "cancel a run, begun or not")
    cancel.add_argument("run", metavar="RUN")
    cancel.add_argument("--reason", default="", help="kept with the run and shown")


def _span(text: str) -> timedelta:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= SECONDS_MAX:
        msg = f"expected a number of seconds, not {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return timedelta(seconds=seconds)


def _count(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= PAGE_MAX:
        return int(text)
    msg = f"expected a number from 1 to {PAGE_MAX:,}, not {text!r}"
    raise argparse.ArgumentTypeError(msg)


def _many(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text[:12]) >= 1:
        return int(text)
    msg = f"expected a number of at least 1, not {text!r}"
    raise argparse.ArgumentTypeError(msg)


def _instances(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= INSTANCES_MAX:
        return int(text)
    msg = f"expected a number from 1 to {INSTANCES_MAX}, not {text!r}"
    raise argparse.ArgumentTypeError(msg)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        msg = f"expected an ISO 8601 time such as 2027-03-28T01:00, not {text!r}"
        raise argparse.ArgumentTypeError(msg) from None


def moment_in(moment: datetime, zone: str) -> datetime:
    """Read a moment without an offset as a time in a zone."""
    if moment.utcoffset() is not None:
        return moment
    return moment.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone))
