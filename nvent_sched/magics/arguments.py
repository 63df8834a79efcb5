"""What stands behind `%%schedule` and `%jobs`: read, checked, refused with an example."""

from __future__ import annotations

import argparse
import re
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn

from nvent_sched._rules.cron import Cron
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from nvent_sched._model.schedules import Schedule

EXAMPLES: Final = """\
    %%schedule "0 7 * * *"                           every day at 07:00 UTC
    %%schedule "30 9 * * mon-fri" --tz Europe/Berlin
    %%schedule --every 15m --id refresh
    %%schedule --in 2h                               once"""
UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|min|s|m|h|d|w)")


class _Parser(argparse.ArgumentParser):
    """Refuses with an error of ours in place of an exit."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def _parser(*options: str) -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    for option in options:
        parser.add_argument(f"--{option}")
    return parser


def schedule_arguments(line: str) -> argparse.Namespace:
    """Read what follows `%%schedule`: `schedule`, `id`, `name` and `on`.

    Raises:
        UsageError: It says no schedule, or two, or one that is not allowed.
    """
    parser = _parser("every", "in", "tz", "id", "name", "on")
    parser.add_argument("cron", nargs="*")
    try:
        asked = _read(parser, line)
        asked.schedule = _schedule_of(asked)
    except UsageError as error:
        msg = f"{error}\n\nFor example:\n{EXAMPLES}"
        raise UsageError(msg) from error
    return asked


def is_help(line: str) -> bool:
    """Whether what follows a magic asks what it takes."""
    return line.split() in (["--help"], ["-h"])


def jobs_arguments(line: str) -> argparse.Namespace:
    """Read what follows `%jobs`: `on`.

    Raises:
        UsageError: It is something else.
    """
    try:
        return _read(_parser("on"), line)
    except UsageError as error:
        msg = f"{error}\n\nIt takes no more than: %jobs --on name_of_a_scheduler"
        raise UsageError(msg) from error


def _read(parser: _Parser, line: str) -> argparse.Namespace:
    try:
        words = shlex.split(line)
    except ValueError as error:
        msg = f"{line!r} cannot be read: {error}"
        raise UsageError(msg) from error
    # `--in -5m` and a cron `*/5 * * * *` without quotes are words like any other.
    return parser.parse_args(words)


def _schedule_of(asked: argparse.Namespace) -> Schedule:
    expression, once = " ".join(asked.cron), getattr(asked, "in")
    said = [each for each in (expression, asked.every, once) if each]
    if len(said) != 1:
        msg = "when? say a cron expression, or --every, or --in"
        raise UsageError(msg if not said else f"{msg}; not {' and '.join(said)}")
    if expression:
        return Cron(expression, timezone=asked.tz or "UTC")
    if asked.tz:
        msg = "--tz belongs to a cron expression: a length of time has no zone"
        raise UsageError(msg)
    if asked.every:
        return Interval(every=length_of(asked.every))
    return OneTime(in_=length_of(once))


def length_of(text: str) -> timedelta:
    """Read a length of time such as `15m`, `1h30m` or `2.5s`.

    Raises:
        UsageError: It is none.
    """
    parts = PART.findall(text.lower())
    if not parts or "".join(map("".join, parts)) != text.lower():
        msg = (
            f"{text!r} is not a length of time; write numbers and units: 90s, 15m, "
            "1h30m, 2d"
        )
        raise UsageError(msg)
    return sum((float(n) * UNITS[unit] for n, unit in parts), timedelta())
