"""The next matching wall time: naive, in whole seconds, knowing no zone."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from nvent_sched._rules.cron.days import day_finder

if TYPE_CHECKING:
    from nvent_sched._rules.cron.text import Fields

SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)


def next_wall(fields: Fields, after: datetime) -> datetime | None:
    """Say the first matching wall time strictly after *after*.

    Args:
        fields: A parsed expression.
        after: Naive.

    Returns:
        Naive, a whole second; None if there is none, or the calendar ends.
    """
    try:
        start = after.replace(microsecond=0) + SECOND
        day = day_finder(fields)(start.date())
        if day == start.date():
            at = _time_from(fields, start.time())
            if at is not None:
                return datetime.combine(day, at)
            day = day_finder(fields)(day + DAY)
    except OverflowError:
        return None
    return None if day is None else datetime.combine(day, _first_time(fields))


def _first_time(fields: Fields) -> time:
    return time(fields.hours[0], fields.minutes[0], fields.seconds[0])


def _time_from(fields: Fields, start: time) -> time | None:
    """Say the first matching time of day at or after *start*."""
    hours, minutes, seconds = fields.hours, fields.minutes, fields.seconds
    place = bisect_left(hours, start.hour)
    if place == len(hours):
        return None
    if hours[place] > start.hour:
        return time(hours[place], minutes[0], seconds[0])
    within = _minute_from(minutes, seconds, start)
    if within is not None:
        return time(start.hour, *within)
    if place + 1 == len(hours):
        return None
    return time(hours[place + 1], minutes[0], seconds[0])


def _minute_from(
    minutes: tuple[int, ...], seconds: tuple[int, ...], start: time
) -> tuple[int, int] | None:
    place = bisect_left(minutes, start.minute)
    if place == len(minutes):
        return None
    if minutes[place] > start.minute:
        return minutes[place], seconds[0]
    within = bisect_left(seconds, start.second)
    if within < len(seconds):
        return start.minute, seconds[within]
    if place + 1 == len(minutes):
        return None
    return minutes[place + 1], seconds[0]


def fires_ever(fields: Fields) -> bool:
    """Whether there is a matching day at all, from 1970 on."""
    return day_finder(fields)(date(1970, 1, 1)) is not None
