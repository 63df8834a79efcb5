"""The front door for cron text: from an expression to its fields, or a short refusal.

Everything a parser can get wrong is decided here, before any library sees the text: an
equal range is one value, a reversed one is refused, Sunday is 0 and 7, a list may hold
any item its field knows. The text is never echoed whole, so a huge one is refused as fast
and as shortly as a small one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nvent_sched.errors import CronError

LENGTH_MAX: Final = 1_000
SHOWN_MAX: Final = 40
FIVE, SIX, SEVEN = 5, 6, 7
SATURDAY, SUNDAY = 6, 7
DAYS_PER_WEEK: Final = 7
BLANKS: Final = re.compile(r"[ \t\n\r\f\v]+")
ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTHS: Final = {
    name: number
    for number, name in enumerate(
        [
            "JAN",
            "FEB",
            "MAR",
            "APR",
            "MAY",
            "JUN",
            "JUL",
            "AUG",
            "SEP",
            "OCT",
            "NOV",
            "DEC",
        ],
        start=1,
    )
}
DAYS: Final = {
    name: number
    for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a field may hold."""

    name: str
    low: int
    high: int
    names: tuple[tuple[str, int], ...] = ()

    @property
    def full(self) -> frozenset[int]:
        """Every value, Sunday once."""
        return frozenset(range(self.low, self.high + 1))


SECOND: Final = Kind(name="second", low=0, high=59)
MINUTE: Final = Kind(name="minute", low=0, high=59)
HOUR: Final = Kind(name="hour", low=0, high=23)
DAY: Final = Kind(name="day of month", low=1, high=31)
MONTH: Final = Kind(name="month", low=1, high=12, names=tuple(MONTHS.items()))
WEEKDAY: Final = Kind(name="day of week", low=0, high=7, names=tuple(DAYS.items()))
YEAR: Final = Kind(name="year", low=1970, high=2099)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayItems:
    """What one of the two day fields asks for.

    Attributes:
        values: Plain days: 1 to 31, or weekdays 0 (Sunday) to 6.
        is_star: The field's text starts with `*` or is `?`.
        last_less: `L` is 0, `L-3` is 3: days before the last of the month.
        nearest: `15W`: the weekday nearest to that day, in the same month.
        is_last_weekday: `LW`: the last Monday-to-Friday of the month.
        nth: `5#2`: (weekday, which one).
        last_of: `5L`: the last such weekday of the month.
    """

    values: frozenset[int]
    is_star: bool
    last_less: frozenset[int] = frozenset()
    nearest: frozenset[int] = frozenset()
    is_last_weekday: bool = False
    nth: frozenset[tuple[int, int]] = frozenset()
    last_of: frozenset[int] = frozenset()

    @property
    def is_plain(self) -> bool:
        """Whether plain values say it all."""
        return not (
            self.last_less
            or self.nearest
            or self.is_last_weekday
            or self.nth
            or self.last_of
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A parsed expression.

    Attributes:
        is_wildcard: The seconds, minute or hour field starts with `*`: the job follows
            the clock as it is; otherwise it is a fixed-time job.
        years: None for any.
        text: The expression without an alias and with single blanks.
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DayItems
    months: frozenset[int]
    weekdays: DayItems
    years: tuple[int, ...] | None
    is_wildcard: bool
    text: str


def shown(text: str) -> str:
    """Quote a piece of the input, cut to what a message can hold."""
    return repr(text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}...")


@lru_cache(2_048)
def fields_from(text: str) -> Fields:
    """Parse an expression.

    Raises:
        CronError: It is not one; the text names the field and the item.
    """
    parts = _parts(text)
    if len(parts) == FIVE:
        parts = ["0", *parts]
    year = parts.pop() if len(parts) == SEVEN else "*"
    second, minute, hour, day, month, weekday = parts
    is_star = [part.startswith("*") for part in (second, minute, hour)]
    return Fields(
        seconds=tuple(sorted(_values(second, SECOND))),
        minutes=tuple(sorted(_values(minute, MINUTE))),
        hours=tuple(sorted(_values(hour, HOUR))),
        days=_days(day),
        months=_values(month, MONTH),
        weekdays=_weekdays(weekday),
        years=None if year == "*" else tuple(sorted(_values(year, YEAR))),
        is_wildcard=any(is_star),
        text=" ".join(_parts(text)),
    )


def _parts(text: str) -> list[str]:
    if len(text) > LENGTH_MAX:
        msg = f"the expression has {len(text)} characters; at most {LENGTH_MAX} are allowed"
        raise CronError(msg)
    if not text.isascii():
        msg = f"the expression {shown(text)} has characters outside ASCII"
        raise CronError(msg)
    stripped = BLANKS.sub(" ", text).strip(" ").upper()
    if not stripped:
        msg = "the expression is empty; for example '0 2 * * *' is every day at 02:00"
        raise CronError(msg)
    if not stripped.isprintable():
        msg = f"the expression {shown(text)} has control characters"
        raise CronError(msg)
    if stripped.startswith("@"):
        return _alias(stripped)
    parts = stripped.split(" ")
    if len(parts) not in {FIVE, SIX, SEVEN}:
        msg = (
            f"the expression {shown(text)} has {len(parts)} fields; expected 5 (minute "
            "hour day month weekday), 6 (seconds first) or 7 (seconds first, year last)"
        )
        raise CronError(msg)
    return parts


def _alias(stripped: str) -> list[str]:
    expanded = ALIASES.get(stripped.lower())
    if expanded is None:
        why = (
            "it is an event without a next time"
            if stripped == "@REBOOT"
            else f"known are {' '.join(ALIASES)}"
        )
        msg = f"unknown alias {shown(stripped.lower())}; {why}"
        raise CronError(msg)
    return expanded.split(" ")


def _refuse(kind: Kind, item: str, why: str) -> CronError:
    return CronError(f"{kind.name} {shown(item)}: {why}")


def _values(text: str, kind: Kind) -> frozenset[int]:
    """Read a field of plain items."""
    found: set[int] = set()
    for item in text.split(","):
        found |= item_values(item, kind)
    return frozenset(found)


def item_values(item: str, kind: Kind) -> frozenset[int]:
    """Read one item of a list of plain items.

    Raises:
        CronError: It is not one.
    """
    body, slash, step_text = item.partition("/")
    step = _step(item, step_text, kind) if slash else 1
    if body == "*":
        top = SATURDAY if kind is WEEKDAY else kind.high
        return frozenset(range(kind.low, top + 1, step))
    if not body:
        why = "an item is missing" if not item else "expected a value before the step"
        raise _refuse(kind, item, why)
    low_text, dash, high_text = body.partition("-")
    low = _number(low_text, kind, item=item)
    if dash:
        is_one = high_text == low_text
        high = low if is_one else _range_end(high_text, kind, item=item)
        if high < low:
            why = (
                f"the range runs backwards; write {low}-{kind.high},{kind.low}-{high} "
                "if it shall go around"
            )
            raise _refuse(kind, item, why)
    else:
        high = kind.high if slash else low
    return frozenset(range(low, high + 1, step))


def _step(item: str, text: str, kind: Kind) -> int:
    if not text.isdigit() or len(text) > 4 or int(text) == 0:  # noqa: PLR2004
        raise _refuse(kind, item, "a step must be a number above 0, for example */5")
    return int(text)


def _range_end(text: str, kind: Kind, *, item: str) -> int:
    value = _number(text, kind, item=item)
    is_sunday = kind is WEEKDAY and text == "SUN"
    return SUNDAY if is_sunday else value


def _number(text: str, kind: Kind, *, item: str) -> int:
    names = dict(kind.names)
    if text in names:
        return names[text]
    if not text.isdigit():
        raise _refuse(kind, item, _why_not_number(text, kind))
    if len(text) > 4 or not kind.low <= int(text) <= kind.high:  # noqa: PLR2004
        why = f"outside {kind.low}-{kind.high}"
        if kind is SECOND and text == "60":
            why = "POSIX time has no leap seconds, so there is no second 60"
        raise _refuse(kind, item, why)
    return int(text)


def _why_not_number(text: str, kind: Kind) -> str:
    if text[:1] in {"H", "R"} and text[1:2] in {"", "("}:
        return "H and R would mean another time at each load; write the value"
    if text == "?":
        return "? stands alone, and only in the two day fields"
    if not text:
        return "a value is missing"
    allowed = f"a number from {kind.low} to {kind.high}"
    if kind.names:
        allowed += f" or a name such as {kind.names[0][0]}"
    return f"expected {allowed}"


def _days(text: str) -> DayItems:
    if text == "?":
        return DayItems(values=DAY.full, is_star=True)
    values: set[int] = set()
    last_less: set[int] = set()
    nearest: set[int] = set()
    is_last_weekday = False
    for item in text.split(","):
        if item == "L":
            last_less.add(0)
        elif item.startswith("L-"):
            last_less.add(_days_before_last(item))
        elif item == "LW":
            is_last_weekday = True
        elif item.endswith("W") and len(item) > 1:
            nearest.add(_number(item[:-1], DAY, item=item))
        else:
            values |= item_values(item, DAY)
    return DayItems(
        values=frozenset(values),
        is_star=text.startswith("*"),
        last_less=frozenset(last_less),
        nearest=frozenset(nearest),
        is_last_weekday=is_last_weekday,
    )


def _days_before_last(item: str) -> int:
    text = item[2:]
    if not text.isdigit() or len(text) > 2 or int(text) > DAY.high - 1:  # noqa: PLR2004
        raise _refuse(DAY, item, "L-n takes a number of days before the last, 0 to 30")
    return int(text)


def _weekdays(text: str) -> DayItems:
    if text == "?":
        return DayItems(values=frozenset(range(DAYS_PER_WEEK)), is_star=True)
    values: set[int] = set()
    nth: set[tuple[int, int]] = set()
    last_of: set[int] = set()
    for item in text.split(","):
        if "#" in item:
            nth.add(_nth(item))
        elif item.endswith("L") and len(item) > 1:
            last_of.add(_number(item[:-1], WEEKDAY, item=item) % DAYS_PER_WEEK)
        elif item == "L":
            why = "say which weekday: 5L is the last Friday of the month"
            raise _refuse(WEEKDAY, item, why)
        else:
            values |= {value % DAYS_PER_WEEK for value in item_values(item, WEEKDAY)}
    return DayItems(
        values=frozenset(values),
        is_star=text.startswith("*"),
        nth=frozenset(nth),
        last_of=frozenset(last_of),
    )


def _nth(item: str) -> tuple[int, int]:
    day, _, which = item.partition("#")
    if which not in set("12345"):
        why = "n#k takes k from 1 to 5: 5#2 is the second Friday of the month"
        raise _refuse(WEEKDAY, item, why)
    return _number(day, WEEKDAY, item=item) % DAYS_PER_WEEK, int(which)
