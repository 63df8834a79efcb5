"""Which line of an error's text says what went wrong. Pure.

An error is kept as the text of its traceback, and mostly there is room for one line of
it. The last line is the wrong one as often as not: below the line that names the
exception stand the rest of its message and its notes, and in a group the errors that it
holds and a ruler. The text alone is asked, not the exception: it is all that a store has.

Knows nothing of us, so that everything else, the exceptions too, may ask it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CUT: Final = "..."
"""The line that stands for a middle that was left out."""
HEADS: Final = {
    "Traceback (most recent call last):",
    "Exception Group Traceback (most recent call last):",
}
LINKS: Final = {
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
}
KEPT: Final = re.compile(r"\n\.\.\. (\S.*) \.\.\.\n")
MARGIN: Final = re.compile(r"  (?:\| ?|\+ )")
OPENING: Final = re.compile(r"  \+-\+-")
NEXT: Final = re.compile(r"    \+--")
DRAWN: Final = re.compile(r" +(?:\| ?|\+[-+ \d.]*$)")


def error_line(text: str | None) -> str | None:
    """Take the line that names the exception, if any line says anything.

    Args:
        text: What was raised, with or without its traceback; of any form.

    Returns:
        The type and the first line of the message of the exception that came out, not
        of its causes. A group's line goes on with that of the first error in it that is
        no group. The only line of a text, as it is; the last one where none is named.
    """
    if not text:
        return None
    said = text.rstrip()
    if kept := KEPT.search(said):
        return kept[1]
    every = said.split("\n")
    lines = _since_link(every, lambda line: line)
    return _named(lines) or _group_line(lines) or _last(every)


def without_middle(text: str, *, length_max: int) -> str:
    """Shorten an error's text, so that its line is the same as before.

    Args:
        text: Of any length.
        length_max: How many characters may stay; some hundreds at least.
    """
    if len(text) <= length_max:
        return text
    head, line = text[: length_max // 4], (error_line(text) or "")[: length_max // 8]
    room = length_max - len(head)
    short = _joined(head, f"\n{CUT}\n", text, room=room)
    if (error_line(short) or "").startswith(line):
        return short
    return _joined(head, f"\n{CUT} {line} {CUT}\n", text, room=room)


def _joined(head: str, gap: str, text: str, *, room: int) -> str:
    return f"{head}{gap}{text[len(gap) - room :]}"


def _since_link(lines: Sequence[str], bare: Callable[[str], str]) -> Sequence[str]:
    """Leave out causes: what came out of them all stands last."""
    for place in range(len(lines) - 1, -1, -1):
        if bare(lines[place]) in LINKS:
            return lines[place + 1 :]
    return lines


def _named(lines: Sequence[str]) -> str | None:
    """Find the first line that is no frame: those are indented."""
    was_cut = False
    for place, line in enumerate(lines):
        is_part, was_cut = was_cut, line == CUT
        if is_part or was_cut or line in HEADS or not line.strip() or line[0].isspace():
            continue
        named = line.rstrip()
        if named.endswith(":") and " " not in named:
            # The message begins with an empty line.
            rest = (each.strip() for each in lines[place + 1 :])
            return f"{named} {next(filter(None, rest), '')}".rstrip()
        return named
    return None


def _group_line(lines: Sequence[str]) -> str | None:
    """Join a group's line and that of its first error, down to one that is no group."""
    found: list[str | None] = []
    while lines:
        lines = _since_link(lines, lambda line: line[4:])
        opened = _first(OPENING, lines)
        own = [line[4:] for line in lines[:opened] if MARGIN.match(line)]
        found.append(_named(own))
        inner = lines[opened + 1 :]
        lines = [line[2:] for line in inner[: _first(NEXT, inner)]]
    named = list(filter(None, found))
    return ": ".join([*named[:1], *named[1:][-1:]]) or None


def _first(sought: re.Pattern[str], lines: Sequence[str]) -> int:
    return next((i for i, line in enumerate(lines) if sought.match(line)), len(lines))


def _last(lines: Sequence[str]) -> str | None:
    bare = (DRAWN.sub("", line) for line in reversed(lines))
    return next((line for line in bare if line.strip()), None)
