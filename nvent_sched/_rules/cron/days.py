"""Which days match: croniter for plain fields, our own calendar for the rest.

croniter is asked only what it answers right: explicit lists of days, months and weekdays,
in naive local time, at midnight, either day field by itself or both together. `L`, `W`
and `#` it parses differently or not at all (and loses one side of a union), so those days
are looked for here, month by month.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from croniter import CroniterError, croniter

from nvent_sched._rules.cron.text import DAY, DAYS_PER_WEEK, MONTH, Fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._rules.cron.text import DayItems

FRIDAY: Final = 4
SEARCH_YEARS: Final = 50
"""The rarest date there is, 29 February on one weekday, comes back within 40 years."""


@lru_cache(2_048)
def day_finder(fields: Fields) -> Callable[[date], date | None]:
    """Say how to find the first matching day at or after a date.

    The two day fields are joined as crontab(5) joins them: both must match if either
    starts with `*`, else one is enough.
    """
    found = _any_year(fields)
    return found if fields.years is None else in_years(found, fields.years)


def is_speakable(fields: Fields) -> bool:
    """Whether plain words say the same as the two day fields.

    cron-descriptor joins both day fields by "or" in words of its own, and reads only one
    item of a list with `L`, `W` or `#`.
    """
    days, weekdays = fields.days, fields.weekdays
    text_days, text_weekdays = fields.text.split(" ")[
        -3 if fields.years is None else -4 :
    ][:3][::2]
    is_list = any(
        not items.is_plain and "," in text
        for items, text in ((days, text_days), (weekdays, text_weekdays))
    )
    is_any_day = days.is_plain and days.values == DAY.full
    is_any_weekday = weekdays.is_plain and len(weekdays.values) == DAYS_PER_WEEK
    is_joined = (days.is_star or weekdays.is_star) and not (
        is_any_day or is_any_weekday
    )
    return not (is_list or is_joined)


def _any_year(fields: Fields) -> Callable[[date], date | None]:
    days, weekdays = fields.days, fields.weekdays
    if not (days.is_plain and weekdays.is_plain):
        return lambda start: _walk(fields, start)
    is_any_day = days.values == DAY.full
    is_any_weekday = len(weekdays.values) == DAYS_PER_WEEK
    is_all = days.is_star or weekdays.is_star
    if is_any_day and is_any_weekday and fields.months == MONTH.full:
        return lambda start: start
    month = "*" if fields.months == MONTH.full else _listed(fields.months)
    day = "*" if is_any_day else _listed(days.values)
    weekday = "*" if is_any_weekday else _listed(weekdays.values)
    if is_all:
        return lambda start: _ask(f"0 0 {day} {month} {weekday}", start)
    if is_any_day or is_any_weekday:
        # One of the two sides of the union is every day.
        return lambda start: _ask(f"0 0 * {month} *", start)

    def either(start: date) -> date | None:
        sides = (
            _ask(f"0 0 {day} {month} *", start),
            _ask(f"0 0 * {month} {weekday}", start),
        )
        return min((side for side in sides if side is not None), default=None)

    return either


def _listed(values: frozenset[int]) -> str:
    return ",".join(map(str, sorted(values)))


@lru_cache(4_096)
def _ask(expr: str, start: date) -> date | None:
    """Ask croniter for the first midnight at or after a date.

    Once: it reads its text anew each time, which takes twenty times as long as all the
    rest, and who catches up asks for every occurrence of a day, for job after job.
    """
    try:
        before = datetime.combine(start, time()) - timedelta(seconds=1)
        search = croniter(expr, before, day_or=False)
        found: datetime = search.get_next(datetime)
    except (CroniterError, ValueError, OverflowError):
        # No such date within its 50 years, or the calendar ends.
        return None
    return found.date()


def in_years(
    found: Callable[[date], date | None], years: tuple[int, ...]
) -> Callable[[date], date | None]:
    """Keep what was found to the given years, which are in order."""

    def limited(start: date) -> date | None:
        for year in years:
            if year < start.year:
                continue
            # The next match may be years away: what lies between is not asked again.
            match = found(max(start, date(year, 1, 1)))
            if match is None or match.year == year:
                return match
            start = match
        return None

    return limited


def _walk(fields: Fields, start: date) -> date | None:
    year, month = start.year, start.month
    while year <= min(start.year + SEARCH_YEARS, date.max.year):
        if month in fields.months:
            for day in _matching(fields, year, month):
                match = date(year, month, day)
                if match >= start:
                    return match
        year, month = (year + 1, 1) if month == MONTH.high else (year, month + 1)
    return None


@lru_cache(4_096)
def _matching(fields: Fields, year: int, month: int) -> tuple[int, ...]:
    """List the matching days of a month."""
    days = _of_days(fields.days, year, month)
    weekdays = _of_weekdays(fields.weekdays, year, month)
    is_all = fields.days.is_star or fields.weekdays.is_star
    return tuple(sorted(days & weekdays if is_all else days | weekdays))


def _of_days(items: DayItems, year: int, month: int) -> set[int]:
    _, length = monthrange(year, month)
    found = {day for day in items.values if day <= length}
    found |= {length - less for less in items.last_less if less < length}
    for day in items.nearest:
        if day <= length:
            found.add(_nearest_weekday(year, month, day, length=length))
    if items.is_last_weekday:
        found.add(_nearest_weekday(year, month, length, length=length))
    return found


def _nearest_weekday(year: int, month: int, day: int, *, length: int) -> int:
    """Move a Saturday or Sunday to the nearest weekday of the same month."""
    over = date(year, month, day).weekday() - FRIDAY
    if over <= 0:
        return day
    if over == 1:
        return day - 1 if day > 1 else day + 2
    return day + 1 if day < length else day - 2


def _of_weekdays(items: DayItems, year: int, month: int) -> set[int]:
    first, length = monthrange(year, month)
    found: set[int] = set()
    for day in range(1, length + 1):
        # monthrange counts from Monday, cron from Sunday.
        weekday = (first + day) % DAYS_PER_WEEK
        which = (day - 1) // DAYS_PER_WEEK + 1
        is_last = weekday in items.last_of and day + DAYS_PER_WEEK > length
        if weekday in items.values or (weekday, which) in items.nth or is_last:
            found.add(day)
    return found
