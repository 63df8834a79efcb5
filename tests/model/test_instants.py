"""Instants: exact both ways, whatever the zone; what has no meaning is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.instants import (
    INSTANT_MAX,
    INSTANT_MIN,
    MICROSECOND,
    SPAN_MAX,
    Instant,
    instant_from,
    moment_from,
    span_us,
)
from nvent_sched.errors import UsageError

NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  counted from by hand
inner_moments = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001  hypothesis adds the zone
    timezones=st.timezones(),
)


@given(inner_moments)
def test_an_instant_is_the_wall_time_less_the_offset(moment: datetime) -> None:
    offset = moment.utcoffset()
    assert offset is not None
    in_utc = moment.replace(tzinfo=None) - offset

    assert instant_from(moment) == (in_utc - NAIVE_EPOCH) // MICROSECOND


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_in_utc_survives_the_round_trip(moment: datetime) -> None:
    assert moment_from(instant_from(moment)) == moment


@given(st.integers(INSTANT_MIN, INSTANT_MAX))
def test_an_instant_survives_the_round_trip(instant: int) -> None:
    assert instant_from(moment_from(instant)) == instant


@given(inner_moments, inner_moments)
def test_order_is_kept(one: datetime, other: datetime) -> None:
    is_earlier = one.astimezone(UTC) < other.astimezone(UTC)

    assert (instant_from(one) < instant_from(other)) == is_earlier


@given(st.integers(-(10**20), 10**20))
def test_instants_outside_the_calendar_are_clamped(instant: int) -> None:
    moment = moment_from(instant)

    assert instant_from(moment) == min(max(instant, INSTANT_MIN), INSTANT_MAX)


def test_both_passes_through_a_repeated_hour_have_their_own_instant() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))

    hour_us = instant_from(first.replace(fold=1)) - instant_from(first)

    assert hour_us == 3_600_000_000


def test_today_is_exact_to_the_microsecond() -> None:
    moment = datetime(
        2026, 11, 23, 7, 8, 9, 123_457, tzinfo=timezone(timedelta(hours=5))
    )

    assert instant_from(moment) == 1_795_399_689_123_457


def test_a_naive_datetime_is_refused_with_what_to_do() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  what is refused

    with pytest.raises(UsageError, match=r"naive datetime .* say which zone"):
        instant_from(naive)


@pytest.mark.parametrize("value", [0, 1.5, "2026-01-01", date(2026, 1, 1), None])
def test_what_is_not_a_datetime_is_refused(value: object) -> None:
    untyped: Any = value

    with pytest.raises(UsageError, match="expected an aware datetime"):
        instant_from(untyped)


@given(st.timedeltas(min_value=timedelta(0), max_value=SPAN_MAX))
def test_a_span_is_exact(span: timedelta) -> None:
    assert timedelta(microseconds=span_us(span, name="delay")) == span


def test_a_span_that_is_too_short_is_refused_by_its_name() -> None:
    with pytest.raises(
        UsageError, match=r"^delay must be at least 0:00:01, not 0:00:00"
    ):
        span_us(timedelta(microseconds=999_999), name="delay", least_us=1_000_000)


def test_a_span_that_no_store_could_hold_is_refused_by_its_name() -> None:
    with pytest.raises(UsageError, match=r"^delay must be at most 100 years"):
        span_us(SPAN_MAX + MICROSECOND, name="delay")


def test_a_number_is_not_a_span() -> None:
    number: Any = 5

    with pytest.raises(UsageError, match="delay must be a timedelta, not int 5"):
        span_us(number, name="delay")


def test_the_bounds_are_the_calendars() -> None:
    assert moment_from(INSTANT_MIN) == datetime.min.replace(tzinfo=UTC)
    assert moment_from(Instant(INSTANT_MAX)) == datetime.max.replace(tzinfo=UTC)
