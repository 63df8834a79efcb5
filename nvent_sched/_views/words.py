"""How lengths of time, moments and outcomes are written for people. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import MICROSECOND
from nvent_sched._model.runs import Outcome
from nvent_sched._model.spans import us_words
from nvent_sched._tracebacks import error_line

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from nvent_sched._model.snapshots import RunSnapshot

NONE: Final = "–"  # noqa: RUF001  a dash, where a table has nothing to say
SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
SIZE_STEP: Final = 1024

STYLES: Final = {
    Outcome.SUCCEEDED: "green",
    Outcome.FAILED: "red",
    Outcome.TIMED_OUT: "red",
    Outcome.CANCELLED: "yellow",
    Outcome.LOST: "bold red",
    Outcome.SKIPPED_OVERLAP: "yellow",
    Outcome.MISSED: "yellow",
    Outcome.DEAD_LETTERED: "bold red",
}
SIGNS: Final = {Outcome.SUCCEEDED: "✓", Outcome.CANCELLED: "■"} | dict.fromkeys(
    (Outcome.SKIPPED_OVERLAP, Outcome.MISSED), "»"
)


def span_words(span: timedelta | None) -> str:
    """Write a length of time with its two largest units at most."""
    return NONE if span is None else us_words(span // MICROSECOND)


def whole_words(span: timedelta) -> str:
    """Write a length of time in whole seconds, for what is counted up or down."""
    whole = max(span, timedelta(0)) // SECOND
    return f"{whole} s" if whole < MINUTE // SECOND else span_words(whole * SECOND)


def distance_words(moment: datetime | None, *, now: datetime) -> str:
    """Write how far a moment is from now."""
    if moment is None:
        return NONE
    away = moment - now
    if abs(away) < SECOND:
        return "now"
    words = whole_words(abs(away))
    return f"in {words}" if away > timedelta(0) else f"{words} ago"


def ago_words(moment: datetime, *, now: datetime) -> str:
    """Write how long ago a moment was, in its largest unit."""
    words = whole_words(now - moment)
    return f"{' '.join(words.split()[:2])} ago"


def moment_words(moment: datetime | None, *, zone: tzinfo | None = None) -> str:
    """Write a moment in a zone; without one in the machine's, and say which that is."""
    if moment is None:
        return NONE
    local = moment.astimezone(zone)
    text = f"{local:%Y-%m-%d %H:%M:%S}"
    return f"{text} {local.tzname()}" if zone is None else text


def size_words(size_bytes: float) -> str:
    """Write an amount of bytes."""
    for unit in ("bytes", "KiB", "MiB"):
        if size_bytes < SIZE_STEP:
            return (
                f"{size_bytes:.0f} {unit}"
                if unit == "bytes"
                else _rounded(size_bytes, unit)
            )
        size_bytes /= SIZE_STEP
    return _rounded(size_bytes, "GiB")


def _rounded(amount: float, unit: str) -> str:
    return f"{amount:.1f} {unit}"


def count_words(count: int, one: str, many: str | None = None) -> str:
    """Write an amount of things."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def outcome_sign(outcome: Outcome) -> str:
    """Say an outcome in one character."""
    return SIGNS.get(outcome, "✗")


def run_note(run: RunSnapshot) -> str:
    """Say the most telling thing about a run, in one line."""
    if run.outcome is Outcome.SUCCEEDED:
        return "" if run.result is None else one_line(str(run.result))
    if run.error:
        return one_line(error_line(run.error) or "")
    return one_line(run.reason or "")


def one_line(text: str) -> str:
    """Join the lines of a text, without anything a terminal would obey."""
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """Replace all that a terminal would obey, but for the ends of lines."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
