"""From wall times to instants: what a zone's clock changes do to a schedule.

zoneinfo has no list of a zone's changes, so the offset is probed through a year and each
change bisected to the second, once a zone and year.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from nvent_sched.errors import UsageError

SECOND: Final = timedelta(seconds=1)
PROBE: Final = timedelta(hours=12)
YEAR_LAST: Final = 9998
CORRECTION: Final = timedelta(hours=3)
"""cron(8): a change of three hours or more is a correction, nothing is made up for it."""


class Change(NamedTuple):
    """One change of a zone's clocks; `at` is in UTC, the first moment of the new."""

    at: datetime
    before: timedelta
    after: timedelta


@lru_cache(1_024)
def zone_of(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name.

    Raises:
        UsageError: There is none.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError, TypeError, AttributeError) as error:
        msg = (
            f"unknown time zone {name!r:.60}; expected an IANA name such as 'UTC', "
            "'Europe/Paris' or 'America/New_York'"
        )
        raise UsageError(msg) from error


def offset_at(zone: ZoneInfo, utc: datetime) -> timedelta:
    """Say the offset in force at a moment given in UTC."""
    offset = utc.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


@lru_cache(4_096)
def changes_in(zone: ZoneInfo, year: int) -> tuple[Change, ...]:
    """List the changes of a zone in a year of UTC."""
    if not 1 < year <= YEAR_LAST:
        return ()
    found: list[Change] = []
    low = datetime(year, 1, 1, tzinfo=UTC) - SECOND
    end = datetime(year + 1, 1, 1, tzinfo=UTC) - SECOND
    before = offset_at(zone, low)
    while low < end:
        high = min(low + PROBE, end)
        after = offset_at(zone, high)
        if after != before:
            found.append(Change(_bisect(zone, low, high), before, after))
        low, before = high, after
    return tuple(found)


def _bisect(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Find the first second at which the offset is no longer that of *low*."""
    before = offset_at(zone, low)
    while high - low > SECOND:
        middle = low + (high - low) // 2 // SECOND * SECOND
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def next_change(zone: ZoneInfo, *, after: datetime, until: datetime) -> Change | None:
    """Find the first change later than *after* and not later than *until*, in UTC."""
    for year in range(after.year, until.year + 1):
        changes = changes_in(zone, year)
        place = bisect_right(changes, after, key=lambda change: change.at)
        if place < len(changes):
            return changes[place] if changes[place].at <= until else None
    return None


def last_change(zone: ZoneInfo, *, until: datetime) -> Change:
    """Find the last change at or before *until*, in UTC; there must be one that year."""
    changes = changes_in(zone, until.year) or changes_in(zone, until.year - 1)
    place = bisect_right(changes, until, key=lambda change: change.at)
    if place == 0:
        changes = changes_in(zone, until.year - 1)
        place = len(changes)
    return changes[place - 1]


def change_at(zone: ZoneInfo, utc: datetime) -> Change | None:
    """Find the change that happens exactly then."""
    return next_change(zone, after=utc - SECOND / 2, until=utc)


def instant_of(zone: ZoneInfo, wall: datetime) -> datetime | None:
    """Say when a fixed-time job that is due at a wall time runs, in UTC.

    A wall time that comes twice: the first time. One that is skipped: the first moment
    after the gap, or not at all if the gap is a correction.
    """
    first = wall.replace(tzinfo=zone, fold=0)
    before = first.utcoffset()
    after = wall.replace(tzinfo=zone, fold=1).utcoffset()
    assert before is not None
    assert after is not None
    utc = (wall - before).replace(tzinfo=UTC)
    if after <= before:
        return utc
    if after - before >= CORRECTION:
        return None
    change = next_change(zone, after=utc - (after - before) - SECOND, until=utc)
    return utc if change is None else change.at
