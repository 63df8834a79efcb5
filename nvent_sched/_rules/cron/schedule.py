"""`Cron`: a schedule by wall clock, in a time zone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from nvent_sched._model.instants import EPOCH, MICROSECOND, Instant, instant_from
from nvent_sched._rules.cron.days import is_speakable
from nvent_sched._rules.cron.search import fires_ever, next_wall
from nvent_sched._rules.cron.text import BLANKS, Fields, fields_from, shown
from nvent_sched._rules.cron.zones import (
    change_at,
    instant_of,
    last_change,
    next_change,
    offset_at,
    zone_of,
)
from nvent_sched.errors import CronError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

TICK: Final = timedelta(microseconds=1)
LAST: Final = datetime(9998, 1, 1, tzinfo=UTC)
FIRST: Final = datetime(2, 1, 1, tzinfo=UTC)
NOTED_MAX: Final = 3
APART: Final = timedelta(days=2)
"""More than two offsets of a zone can differ by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One coming occurrence.

    Attributes:
        moment: When, in the schedule's zone.
        note: What a clock change does to it; None if nothing.
    """

    moment: datetime
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule by wall clock: a cron expression in a time zone.

    Five fields (minute, hour, day of month, month, day of week), optionally seconds
    first (six) and a year last (seven: seconds first, year last, 1970 to 2099). Names
    (`MON`, `jan`), lists, ranges, steps, `@hourly @daily @midnight @weekly @monthly
    @yearly @annually`; in the day fields `L` (last day), `L-3` (three days before it),
    `15W` (weekday nearest the 15th, in its month), `LW`, `5L` (last Friday), `5#2`
    (second Friday), `?`; all of these also in lists. Sunday is 0 and 7; as the end of a
    range `SUN` is 7. `n/step` counts from n to the field's end (for weekdays to 7).

    If neither day field starts with `*` (or is `?`), a day that matches one of them
    matches; else it must match both: crontab(5) as Debian, cronie and cronsim do it.

    Clock changes, as cron(8) has it: a *fixed-time* schedule (seconds, minute and hour
    do not start with `*`) runs once for the wall times a change skips, at the first
    moment after the gap, and only the first time at wall times that come twice; after a
    change of three hours or more what was skipped is not made up for. Any other schedule
    follows the clock: at wall times that come twice it runs twice, at skipped ones not.

    POSIX time has no leap seconds: a second 60 is refused.

    Args:
        expr: The expression.
        timezone: An IANA name, or a `ZoneInfo` that has one.

    Raises:
        CronError: The expression is not allowed, or never fires.
        UsageError: There is no such time zone.
    """

    expr: str
    timezone: str = "UTC"
    _fields: Fields = field(init=False, repr=False, compare=False)
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.expr, str):
            msg = f"a cron expression is text, not {type(self.expr).__name__}"
            raise CronError(msg)
        name = (
            self.timezone.key if isinstance(self.timezone, ZoneInfo) else self.timezone
        )
        if not isinstance(name, str) or not name:
            msg = (
                f"a time zone is an IANA name such as 'Europe/Paris', not {name!r:.60}"
            )
            raise UsageError(msg)
        fields = fields_from(self.expr)
        zone = zone_of(name)
        if not fires_ever(fields):
            msg = f"the expression {shown(fields.text)} never fires: there is no such date"
            raise CronError(msg)
        object.__setattr__(self, "expr", BLANKS.sub(" ", self.expr).strip())
        object.__setattr__(self, "timezone", name)
        object.__setattr__(self, "_fields", fields)
        object.__setattr__(self, "_zone", zone)
        if fields.years is not None and not self._fires_in(fields.years[0]):
            msg = f"{shown(fields.text)} never fires in {name}: the clock skips it"
            raise CronError(msg)

    def _fires_in(self, year: int) -> bool:
        start = datetime(year, 1, 1, tzinfo=UTC) - timedelta(days=2)
        return self.next_instant(instant_from(start)) is not None

    def __repr__(self) -> str:
        """Write it as one would."""
        return f"Cron({self.expr!r}, timezone={self.timezone!r})"

    def __reduce__(self) -> tuple[type[Cron], tuple[str, str]]:
        """Copy and pickle by what was written, not by what was found out."""
        return Cron, (self.expr, self.timezone)

    def next_after(self, moment: datetime, /) -> datetime | None:
        """Say the first occurrence strictly after *moment*, in the schedule's zone.

        Raises:
            UsageError: *moment* is naive.
        """
        found = self.next_instant(instant_from(moment))
        if found is None:
            return None
        return (EPOCH + timedelta(microseconds=found)).astimezone(self._zone)

    def next_instant(self, after: Instant, /) -> Instant | None:
        """Say the first occurrence strictly after *after*; None if there is none."""
        start = (FIRST - EPOCH) // MICROSECOND
        if after >= (LAST - EPOCH) // MICROSECOND:
            return None
        utc = EPOCH + timedelta(microseconds=max(after, start))
        found = (
            self._next_wild(utc) if self._fields.is_wildcard else self._next_fixed(utc)
        )
        return None if found is None else Instant((found - EPOCH) // MICROSECOND)

    def _next_fixed(self, utc: datetime) -> datetime | None:
        local = utc.astimezone(self._zone)
        wall: datetime | None = local.replace(tzinfo=None, fold=0)
        if local.fold:
            # In the second pass of a repeated hour: its wall times are over already.
            change = last_change(self._zone, until=utc)
            wall = (change.at + change.before - TICK).replace(tzinfo=None)
        while wall is not None and (wall := next_wall(self._fields, wall)) is not None:
            found = instant_of(self._zone, wall)
            if found is not None and found > utc:
                return found
        return None

    def _next_wild(self, utc: datetime) -> datetime | None:
        offset = offset_at(self._zone, utc)
        cursor = utc
        wall = (utc + offset).replace(tzinfo=None)
        while (found := next_wall(self._fields, wall)) is not None:
            due = found.replace(tzinfo=UTC) - offset
            is_far = due - cursor > 2 * APART
            until = cursor + APART if is_far else due
            change = next_change(self._zone, after=cursor, until=until)
            if change is not None:
                cursor, offset = change.at, change.after
                wall = (change.at + offset - TICK).replace(tzinfo=None)
            elif is_far:
                # No wall time until then can match, whatever the clock does meanwhile.
                cursor = due - APART
                offset = offset_at(self._zone, cursor)
                wall = (cursor + offset).replace(tzinfo=None)
            else:
                return due
        return None

    def occurrences(self, after: datetime, /) -> Iterator[datetime]:
        """Iterate over the occurrences strictly after *after*, in order.

        Raises:
            UsageError: *after* is naive.
        """
        return self._iterate(self.next_after(after))

    def _iterate(self, found: datetime | None) -> Iterator[datetime]:
        while found is not None:
            yield found
            found = self.next_after(found)

    def anchored(self, at: Instant, /) -> Cron:
        """Return self: the wall clock is the anchor."""
        del at
        return self

    def spec(self) -> str:
        """Write it as canonical JSON."""
        record = {"expr": self.expr, "kind": "cron", "timezone": self.timezone}
        return json.dumps(record, separators=(",", ":"), sort_keys=True)

    def describe(self) -> str:
        """Say it in words; as it is written, where there are none that are right."""
        words = self._words()
        return words if self.timezone == "UTC" else f"{words}, {self.timezone}"

    def _words(self) -> str:
        if not is_speakable(self._fields):
            return self.expr
        # Few programs ask, and what speaks takes a tenth of the time of our import.
        from nvent_sched._rules.cron.speech import words_of  # noqa: PLC0415

        return words_of(self._fields.text) or self.expr

    def preview(self, after: datetime, n: int) -> tuple[Preview, ...]:
        """List the next occurrences with what clock changes do to them.

        Args:
            after: Exclusive; aware.
            n: How many at most; none below 1.

        Raises:
            UsageError: *after* is naive.
        """
        return tuple(
            Preview(moment=moment, note=self._note(moment))
            for moment in islice(self.occurrences(after), max(0, n))
        )

    def _note(self, moment: datetime) -> str | None:
        first, second = moment.replace(fold=0), moment.replace(fold=1)
        wall = f"{moment:%H:%M:%S}".removesuffix(":00")
        if first.utcoffset() != second.utcoffset():
            which = "second" if moment.fold else "first"
            return f"{which} of two {wall}"
        change = change_at(self._zone, moment.astimezone(UTC))
        if change is None or self._fields.is_wildcard or change.after <= change.before:
            return None
        skipped = self._skipped(change.at + change.before, change.at + change.after)
        if not skipped:
            return None
        return f"moved from {', '.join(skipped)}, which the clock skips"

    def _skipped(self, start: datetime, end: datetime) -> list[str]:
        """List the first wall times of the schedule in a gap."""
        found: list[str] = []
        last = end.replace(tzinfo=None)
        wall: datetime | None = start.replace(tzinfo=None) - TICK
        while wall is not None and (wall := next_wall(self._fields, wall)) is not None:
            if wall >= last:
                break
            if len(found) == NOTED_MAX:
                return [*found, "..."]
            found.append(f"{wall:%H:%M:%S}".removesuffix(":00"))
        return found
