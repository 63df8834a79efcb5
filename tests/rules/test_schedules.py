"""Promises of Interval, OneTime and the way back from a spec."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.instants import INSTANT_MAX, Instant, instant_from
from nvent_sched._model.schedules import Schedule
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.schedules import Interval, OneTime, schedule_from
from nvent_sched.errors import UsageError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PARIS = timezone(timedelta(hours=1))
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001
US = timedelta(microseconds=1)
instants = st.integers(-(10**16), 10**16).map(Instant)
periods = st.integers(1_000, 10**13)


@given(every=periods, anchor=instants, after=instants)
def test_an_anchored_interval_is_the_first_grid_point_after(
    every: int, anchor: int, after: Instant
) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + anchor * US
    interval = Interval(every * US, anchor=moment)

    found = interval.next_instant(after)

    assert found is not None
    assert found > after
    assert found >= anchor
    assert (found - anchor) % every == 0
    assert found == anchor or found - every <= after


@given(every=periods, at=instants, after=instants)
def test_a_phase_starts_a_period_later(every: int, at: Instant, after: Instant) -> None:
    interval = Interval(every * US).anchored(at)

    found = interval.next_instant(after)

    assert interval.next_instant(at) == at + every
    assert found is not None
    assert found > after
    assert found >= at + every
    assert (found - at) % every == 0


def test_an_unanchored_interval_counts_from_the_moment() -> None:
    interval = Interval(minutes=15)

    assert interval.next_after(NOON) == NOON + timedelta(minutes=15)
    assert list(islice(interval.occurrences(NOON), 2)) == [
        NOON + timedelta(minutes=15),
        NOON + timedelta(minutes=30),
    ]


def test_anchoring_twice_changes_nothing() -> None:
    once = Interval(minutes=15).anchored(Instant(7))
    explicit = Interval(minutes=15, anchor=NOON)

    assert once.anchored(Instant(8)) is once
    assert explicit.anchored(Instant(8)) is explicit
    assert once != Interval(minutes=15)


def test_an_interval_ends_with_time() -> None:
    assert Interval(days=1).next_instant(INSTANT_MAX) is None


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"every": timedelta(0)},
        {"every": timedelta(microseconds=999)},
        {"every": timedelta(seconds=-1)},
        {"every": timedelta(days=36_526)},
        {"every": 60},
        {"minutes": "5"},
        {"days": float("nan")},
        {"days": float("inf")},
        {"weeks": 10**12},
        {"minutes": 5, "anchor": NAIVE},
        {"minutes": 5, "after": "lunch"},
        {"minutes": 5, "after": []},
    ],
)
def test_what_is_no_interval_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Interval(**options)


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ((), {}),
        ((NOON,), {"in_": timedelta(1)}),
        ((NAIVE,), {}),
        (("tomorrow",), {}),
        ((), {"in_": timedelta(-1)}),
        ((), {"in_": 5}),
    ],
)
def test_what_is_no_moment_is_refused(
    args: tuple[Any, ...], options: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        OneTime(*args, **options)


def test_one_time_is_strictly_after() -> None:
    once = OneTime(NOON)

    assert once.next_after(NOON - US) == NOON
    assert once.next_after(NOON) is None
    assert list(once.occurrences(NOON - US)) == [NOON]


def test_in_counts_from_the_anchor() -> None:
    once = OneTime(in_=timedelta(hours=1))

    assert once.anchored(instant_from(NOON)) == OneTime(NOON + timedelta(hours=1))
    assert list(once.occurrences(NOON)) == [NOON + timedelta(hours=1)]
    assert once.at is None


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Interval(minutes=15), "every 15 minutes"),
        (Interval(minutes=1), "every minute"),
        (Interval(minutes=90), "every 1 hour and 30 minutes"),
        (Interval(weeks=2), "every 2 weeks"),
        (Interval(days=8), "every 8 days"),
        (Interval(milliseconds=1), "every millisecond"),
        (Interval(hours=1, after="finish"), "every hour after the last run ended"),
        (Interval(hours=1, anchor=NOON), "every hour"),
        (OneTime(NOON.astimezone(PARIS)), "once at 2026-11-23 12:00:00 UTC"),
        (
            OneTime(in_=timedelta(seconds=90)),
            "once, 1 minute and 30 seconds after it is scheduled",
        ),
    ],
)
def test_describe(schedule: Schedule, words: str) -> None:
    assert schedule.describe() == words


@pytest.mark.parametrize(
    "schedule",
    [
        Cron("0 2 * * *", "Europe/Paris"),
        Interval(minutes=15),
        Interval(minutes=15, anchor=NOON, after="finish"),
        Interval(minutes=15).anchored(Instant(12_345)),
        OneTime(NOON.astimezone(PARIS)),
        OneTime(in_=timedelta(hours=1)),
    ],
)
def test_a_spec_leads_back(schedule: Schedule) -> None:
    assert isinstance(schedule, Schedule)
    assert schedule_from(schedule.spec()) == schedule
    assert schedule_from(schedule.spec()).spec() == schedule.spec()
    assert pickle.loads(pickle.dumps(schedule)) == schedule  # noqa: S301
    assert hash(schedule) == hash(schedule_from(schedule.spec()))


def test_equal_moments_have_equal_specs() -> None:
    assert OneTime(NOON).spec() == OneTime(NOON.astimezone(PARIS)).spec()
    assert Interval(hours=1).spec() == Interval(minutes=60).spec()


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "[]",
        "5",
        "{}",
        '{"kind":"weekly"}',
        '{"kind":"interval"}',
        '{"kind":"once","at_us":null,"in_us":null}',
        '{"kind":"cron","expr":"x","timezone":"UTC"}',
    ],
)
def test_a_broken_spec_is_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        schedule_from(spec)
