"""`Interval` and `OneTime`, and how any schedule is read back from its text. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from nvent_sched._model.instants import (
    INSTANT_MAX,
    MICROSECOND,
    MILLISECOND_US,
    SPAN_MAX,
    Instant,
    instant_from,
    moment_from,
    span_us,
)
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.demand import OnDemand
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nvent_sched._model.schedules import Schedule

UNIT_US: Final[Mapping[str, int]] = {
    "weeks": 7 * 86_400_000_000,
    "days": 86_400_000_000,
    "hours": 3_600_000_000,
    "minutes": 60_000_000,
    "seconds": 1_000_000,
    "milliseconds": MILLISECOND_US,
}
SPECS_CACHED: Final = 4_096


def added_us(length_us: int, units: Mapping[str, float]) -> int:
    """Add parts in the units people think in to a length, in whole microseconds.

    Raises:
        UsageError: One of them is no number.
    """
    for name, count in units.items():
        if isinstance(count, bool) or not isinstance(count, int | float):
            msg = f"{name} must be a number, not {count!r}"
            raise UsageError(msg)
        try:
            length_us += round(count * UNIT_US[name])
        except (ValueError, OverflowError) as error:
            msg = f"{name} must be a finite number, not {count!r}"
            raise UsageError(msg) from error
    return length_us


def _every_us(every: timedelta | None, units: Mapping[str, float]) -> int:
    """Add up how long an interval is, in whole microseconds."""
    given_us = 0 if every is None else span_us(every, name="every")
    total_us = added_us(given_us, units)
    most_us = SPAN_MAX // MICROSECOND
    if not MILLISECOND_US <= total_us <= most_us:
        msg = (
            f"an interval must be between 1 millisecond and 100 years long, not "
            f"{total_us / UNIT_US['seconds']:g} seconds; for example "
            "Interval(minutes=15)"
        )
        raise UsageError(msg)
    return total_us


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Interval:
    """A schedule by elapsed time: every so often, whatever the clocks do.

    Its occurrences are `anchor` + k x `every`. They do not move with a restart, a deploy
    or a slow run. Without an anchor the moment the job is created counts, and the first
    occurrence is one `every` later; with one, the anchor itself is the first.

    Args:
        every: How often; or in parts, which are added up.
        weeks: Part of it.
        days: Part of it: 24 hours each, also across a clock change.
        hours: Part of it.
        minutes: Part of it.
        seconds: Part of it.
        milliseconds: Part of it. In all at least 1 millisecond, at most 100 years.
        anchor: An aware datetime.
        after: "start" for the above; "finish": each occurrence is one `every` after the
            end of the run before.

    Raises:
        UsageError: The length is outside its range, or the anchor is naive.
    """

    every_us: int
    anchor: datetime | None
    after: Literal["start", "finish"]
    first_k: int = field(default=0)

    def __init__(  # noqa: PLR0913  the units people think in
        self,
        every: timedelta | None = None,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        milliseconds: float = 0,
        anchor: datetime | None = None,
        after: Literal["start", "finish"] = "start",
    ) -> None:
        units = {
            "weeks": weeks,
            "days": days,
            "hours": hours,
            "minutes": minutes,
            "seconds": seconds,
            "milliseconds": milliseconds,
        }
        used = {name: count for name, count in units.items() if count != 0}
        self._set(_every_us(every, used), anchor=anchor, after=after, first_k=0)

    def _set(
        self, every_us: int, *, anchor: datetime | None, after: str, first_k: int
    ) -> None:
        if after not in ("start", "finish"):
            msg = f"after must be 'start' or 'finish', not {after!r}"
            raise UsageError(msg)
        if anchor is not None:
            anchor = moment_from(instant_from(anchor))
        object.__setattr__(self, "every_us", every_us)
        object.__setattr__(self, "anchor", anchor)
        object.__setattr__(self, "after", after)
        object.__setattr__(self, "first_k", first_k)

    @property
    def every(self) -> timedelta:
        """How often."""
        return timedelta(microseconds=self.every_us)

    def __repr__(self) -> str:
        """Write it as one would."""
        parts = [repr(self.every)]
        if self.anchor is not None:
            parts.append(f"anchor={self.anchor!r}")
        if self.after != "start":
            parts.append(f"after={self.after!r}")
        return f"Interval({', '.join(parts)})"

    def anchored(self, at: Instant, /) -> Interval:
        """Fix the phase to *at*: the first occurrence is one `every` later."""
        if self.anchor is not None:
            return self
        anchored = object.__new__(Interval)
        anchored._set(
            self.every_us, anchor=moment_from(at), after=self.after, first_k=1
        )
        return anchored

    def next_instant(self, after: Instant, /) -> Instant | None:
        """Say the first occurrence strictly after *after*; None past the year 9999."""
        if self.anchor is None:
            found = after + self.every_us
        else:
            anchor = instant_from(self.anchor)
            k = max(self.first_k, (after - anchor) // self.every_us + 1)
            found = anchor + k * self.every_us
        return Instant(found) if found <= INSTANT_MAX else None

    def next_after(self, moment: datetime, /) -> datetime | None:
        """Say the first occurrence strictly after *moment*, in UTC.

        Without an anchor, *moment* is the anchor.

        Raises:
            UsageError: *moment* is naive.
        """
        found = self.next_instant(instant_from(moment))
        return None if found is None else moment_from(found)

    def occurrences(self, after: datetime, /) -> Iterator[datetime]:
        """Iterate over the occurrences strictly after *after*, in order.

        Raises:
            UsageError: *after* is naive.
        """
        fixed = self.anchored(instant_from(after))
        return fixed._iterate(fixed.next_after(after))  # noqa: SLF001  ours

    def _iterate(self, found: datetime | None) -> Iterator[datetime]:
        while found is not None:
            yield found
            found = self.next_after(found)

    def spec(self) -> str:
        """Write it as canonical JSON."""
        record: dict[str, object] = {"every_us": self.every_us, "kind": "interval"}
        if self.anchor is not None:
            record["anchor"] = instant_from(self.anchor)
        if self.after != "start":
            record["after"] = self.after
        if self.first_k:
            record["first_k"] = self.first_k
        return _canonical(record)

    def describe(self) -> str:
        """Say it in words."""
        tail = " after the last run ended" if self.after == "finish" else ""
        words = _length(self.every_us)
        return f"every {words if ' and ' in words else words.removeprefix('1 ')}{tail}"


@dataclass(frozen=True, slots=True, repr=False)
class OneTime:
    """A schedule of one occurrence. A time in the past is due at once.

    Args:
        at: When; aware.
        in_: Or how long after the job is created; at least 0.

    Raises:
        UsageError: Neither or both are given, *at* is naive, or *in_* is negative or
            longer than 100 years.
    """

    at: datetime | None = None
    in_: timedelta | None = field(default=None, kw_only=True)
    _at: Instant | None = field(default=None, init=False, compare=False)

    def __post_init__(self) -> None:
        if (self.at is None) == (self.in_ is None):
            msg = (
                "say when: OneTime(at) with an aware datetime, or "
                "OneTime(in_=timedelta(...)); not both"
            )
            raise UsageError(msg)
        if self.at is not None:
            at = instant_from(self.at)
            object.__setattr__(self, "_at", at)
            if self.at.tzinfo is not UTC:
                object.__setattr__(self, "at", moment_from(at))
        if self.in_ is not None:
            span_us(self.in_, name="in_")

    def __repr__(self) -> str:
        """Write it as one would."""
        return (
            f"OneTime({self.at!r})"
            if self.in_ is None
            else f"OneTime(in_={self.in_!r})"
        )

    def anchored(self, at: Instant, /) -> OneTime:
        """Turn "in an hour" into a time, counted from *at*."""
        if self.in_ is None:
            return self
        return OneTime(moment_from(at + self.in_ // MICROSECOND))

    def next_instant(self, after: Instant, /) -> Instant | None:
        """Say the occurrence if it is later than *after*."""
        if self.at is None:
            assert self.in_ is not None
            return Instant(after + max(1, self.in_ // MICROSECOND))
        assert self._at is not None
        return self._at if self._at > after else None

    def next_after(self, moment: datetime, /) -> datetime | None:
        """Say the occurrence if it is later than *moment*, in UTC.

        Raises:
            UsageError: *moment* is naive.
        """
        found = self.next_instant(instant_from(moment))
        return None if found is None else moment_from(found)

    def occurrences(self, after: datetime, /) -> Iterator[datetime]:
        """Iterate over the one occurrence, if it is later than *after*.

        Raises:
            UsageError: *after* is naive.
        """
        found = self.next_after(after)
        return iter(()) if found is None else iter((found,))

    def spec(self) -> str:
        """Write it as canonical JSON."""
        if self._at is not None:
            return f'{{"at":{self._at},"kind":"once"}}'
        assert self.in_ is not None
        return _canonical({"in_us": self.in_ // MICROSECOND, "kind": "once"})

    def describe(self) -> str:
        """Say it in words."""
        if self.at is not None:
            text = self.at.astimezone(UTC).isoformat(sep=" ").removesuffix("+00:00")
            return f"once at {text} UTC"
        assert self.in_ is not None
        return f"once, {_length(self.in_ // MICROSECOND)} after it is scheduled"


_canonical: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def _length(length_us: int) -> str:
    """Say a length in words: "1 day and 2 hours"; whole weeks only as weeks."""
    units = dict(UNIT_US)
    if length_us % units["weeks"]:
        del units["weeks"]
    parts: list[str] = []
    for name, unit_us in units.items():
        count, length_us = divmod(length_us, unit_us)
        if count:
            parts.append(f"{count} {name if count > 1 else name.removesuffix('s')}")
    if length_us:
        parts.append(f"{length_us} microseconds")
    if not parts:
        return "no time"
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


@lru_cache(SPECS_CACHED)
def schedule_from(spec: str) -> Schedule:
    """Read what a schedule's `spec` wrote.

    Raises:
        UsageError: It is not such a text.
    """
    try:
        record = json.loads(spec)
        found = _READERS[record["kind"]](record)
    except UsageError:
        raise
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        msg = f"this is no schedule we know: {spec[:80]!r} ({error!r})"
        raise UsageError(msg) from error
    return found


def _interval_from(record: Mapping[str, Any]) -> Interval:
    every = timedelta(microseconds=record["every_us"])
    after, anchor = record.get("after", "start"), record.get("anchor")
    if anchor is None:
        return Interval(every, after=after)
    if record.get("first_k"):
        return Interval(every, after=after).anchored(anchor)
    return Interval(every, after=after, anchor=moment_from(anchor))


def _one_time_from(record: Mapping[str, Any]) -> OneTime:
    if "in_us" in record:
        return OneTime(in_=timedelta(microseconds=record["in_us"]))
    return OneTime(moment_from(record["at"]))


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Schedule]]] = {
    "cron": lambda record: Cron(record["expr"], record["timezone"]),
    "demand": lambda _: OnDemand(),
    "interval": _interval_from,
    "once": _one_time_from,
}
