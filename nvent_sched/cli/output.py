"""Where a command writes: tables for people on stdout, or one JSON document.

Trouble and asides go to stderr. Without a terminal there is no colour and no live
display, and tables are as wide as what they hold.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nvent_sched._model.schedules import Schedule
from nvent_sched.cli.exits import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

PIPE_WIDTH: Final = 240
"""How wide a table may be that no terminal shows."""


class _Stream(Console):
    """A console that leaves a reader who went away to `entry`."""

    def on_broken_pipe(self) -> NoReturn:
        """Stop writing, without rich's exit code, which would be one of ours."""
        self.quiet = True
        raise BrokenPipeError


class Output:
    """What one command prints.

    Args:
        is_json: Results are one JSON document on stdout, and nothing else is.
        is_debug: Errors come with a traceback.
    """

    def __init__(self, *, is_json: bool = False, is_debug: bool = False) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        self.is_json: bool = is_json
        self.is_debug: bool = is_debug
        self.console: Console = _stream(is_stderr=False)
        self.aside: Console = _stream(is_stderr=True)

    @property
    def is_live(self) -> bool:
        """Whether somebody looks at a terminal that can redraw."""
        return self.console.is_terminal and not self.is_json

    def document(self, value: object) -> None:
        """Print one JSON document."""
        text = json.dumps(plain(value), indent=2, ensure_ascii=False)
        self.console.print(text, soft_wrap=True)

    def show(self, *parts: RenderableType) -> None:
        """Print for people; texts are printed as they are."""
        for part in parts:
            self.console.print(part)

    def line(self, text: str | Text) -> None:
        """Print a line that is not wrapped, for people and for grep."""
        self.console.print(text, soft_wrap=True)

    def note(self, text: str) -> None:
        """Tell something beside the result."""
        self.aside.print(text, markup=False, style="dim", soft_wrap=True)

    def trouble(self, error: BaseException) -> None:
        """Tell what went wrong, in a line or two."""
        if self.is_debug and sys.exception() is not None:
            self.aside.print_exception()
        label = Text("nvent-sched: ", style="bold red")
        self.aside.print(label + Text(words_of(error), style=""), soft_wrap=True)


def _stream(*, is_stderr: bool) -> Console:
    """Make a console that prints what it is given: names may look like markup."""
    is_terminal = (sys.stderr if is_stderr else sys.stdout).isatty()
    width = None if is_terminal or "COLUMNS" in os.environ else PIPE_WIDTH
    return _Stream(
        stderr=is_stderr, width=width, highlight=False, markup=False, emoji=False
    )


def table_of(
    *columns: str, right: Sequence[str] = (), title: str | None = None
) -> Table:
    """Make an empty table.

    Args:
        columns: The heads, the last one first to be cut on a narrow screen.
        right: Those that hold numbers.
        title: What stands above it.
    """
    table = Table(
        box=None,
        header_style="bold",
        pad_edge=False,
        padding=(0, 2, 0, 0),
        title=title,
        title_justify="left",
        title_style="bold",
    )
    for name in columns:
        is_number = name in right
        table.add_column(
            name,
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=is_number,
        )
    return table


def plain(value: Any) -> Any:  # noqa: ANN401  whatever a snapshot holds
    """Turn what a snapshot holds into JSON: moments in UTC, lengths in seconds."""
    for kind, write in WRITERS:
        if isinstance(value, kind):
            return write(value)
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: plain(getattr(value, name)) for name in names}
    return str(value)


def _as_it_is(value: object) -> object:
    return value


WRITERS: Final[tuple[tuple[Any, Callable[[Any], Any]], ...]] = (
    (Enum, lambda each: each.value),
    (bool | int | float | str | NoneType, _as_it_is),
    (datetime, lambda each: each.astimezone(UTC).isoformat()),
    (timedelta, lambda each: each.total_seconds()),
    (Mapping, lambda each: {str(plain(k)): plain(v) for k, v in each.items()}),
    (list | tuple | set | frozenset, lambda each: [plain(item) for item in each]),
    (Schedule, lambda each: json.loads(each.spec()) | {"text": each.describe()}),
)
"""What is written how; the first kind that fits counts."""
