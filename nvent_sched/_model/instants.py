"""Instants and spans: integer microseconds inside, aware datetimes outside. Pure.

A float cannot hold today's microsecond exactly and a naive datetime has no meaning
before its zone is known, so neither passes this module.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NewType

from nvent_sched.errors import UsageError

Instant = NewType("Instant", int)
"""Microseconds since 1970-01-01T00:00Z, POSIX time (no leap seconds)."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SECOND_US: Final = 1_000_000
MILLISECOND_US: Final = 1_000
SPAN_MAX: Final = timedelta(days=36_525)
"""A hundred years: what is added to an instant stays one that every store can hold."""
INSTANT_MIN: Final = Instant((datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND)
INSTANT_MAX: Final = Instant((datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND)


def instant_from(moment: datetime, /) -> Instant:
    """Turn an aware datetime into an instant, exactly.

    Raises:
        UsageError: *moment* is not a datetime, or is naive.
    """
    if not isinstance(moment, datetime):
        msg = f"expected an aware datetime, not {type(moment).__name__}"
        raise UsageError(msg)
    if moment.utcoffset() is None:
        msg = (
            f"naive datetime {moment!r}: say which zone it is in, for example "
            "`.replace(tzinfo=ZoneInfo('Europe/Paris'))` or `.astimezone()`"
        )
        raise UsageError(msg)
    return Instant((moment - EPOCH) // MICROSECOND)


def moment_from(instant: int, /) -> datetime:
    """Turn an instant into an aware datetime in UTC, exactly.

    Instants outside the years 1 to 9999 are clamped to the nearest datetime.
    """
    bounded = min(max(instant, INSTANT_MIN), INSTANT_MAX)
    return EPOCH + timedelta(microseconds=bounded)


def span_us(span: timedelta, /, *, name: str, least_us: int = 0) -> int:
    """Turn a timedelta into whole microseconds.

    Args:
        span: The length of time.
        name: What the caller calls it, for the message.
        least_us: The smallest value allowed, in microseconds.

    Raises:
        UsageError: *span* is not a timedelta, is shorter than *least_us* or longer
            than 100 years.
    """
    if not isinstance(span, timedelta):
        msg = f"{name} must be a timedelta, not {type(span).__name__} {span!r}"
        raise UsageError(msg)
    length_us = span // MICROSECOND
    if length_us < least_us:
        msg = f"{name} must be at least {timedelta(microseconds=least_us)}, not {span}"
        raise UsageError(msg)
    if span > SPAN_MAX:
        msg = f"{name} must be at most 100 years ({SPAN_MAX.days} days), not {span}"
        raise UsageError(msg)
    return length_us
