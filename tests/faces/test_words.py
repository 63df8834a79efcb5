"""How the command line writes lengths of time, moments and amounts."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from nvent_sched._views.words import (
    ago_words,
    distance_words,
    moment_words,
    one_line,
    size_words,
    span_words,
)
from nvent_sched.cli.output import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (None, "–"),  # noqa: RUF001  the dash of an empty cell
        (timedelta(0), "0 s"),
        (timedelta(microseconds=850), "850 µs"),
        (timedelta(milliseconds=2.34), "2.3 ms"),
        (timedelta(milliseconds=120), "120 ms"),
        (timedelta(seconds=1.25), "1.2 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=3), "3 min"),
        (timedelta(minutes=3, seconds=20), "3 min 20 s"),
        (timedelta(hours=2, minutes=5, seconds=1), "2 h 5 min"),
        (timedelta(days=40, hours=3), "40 d 3 h"),
        (timedelta(seconds=-59), "-59 s"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(
    span: timedelta | None, words: str
) -> None:
    assert span_words(span) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "now"), (5.9, "in 5 s"), (-5.9, "5 s ago"), (3_700, "in 1 h 1 min")],
)
def test_a_moment_is_told_by_its_distance(seconds: float, words: str) -> None:
    assert distance_words(NOON + timedelta(seconds=seconds), now=NOON) == words


def test_how_long_ago_is_told_in_one_unit() -> None:
    assert ago_words(NOON - timedelta(minutes=3, seconds=20), now=NOON) == "3 min ago"


def test_a_moment_is_written_in_the_zone_asked_for() -> None:
    assert moment_words(NOON, zone=UTC) == "2027-03-01 12:00:00"


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine stand in Berlin."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_a_moment_in_the_machines_zone_says_which_that_is() -> None:
    assert moment_words(NOON) == "2027-03-01 13:00:00 CET"
    assert moment_words(NOON + timedelta(days=90)) == "2027-05-30 14:00:00 CEST"


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 bytes"), (1_536, "1.5 KiB"), (5 << 20, "5.0 MiB"), (3 << 30, "3.0 GiB")],
)
def test_an_amount_of_bytes_is_rounded(size_bytes: int, words: str) -> None:
    assert size_words(size_bytes) == words


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    assert one_line("a\n b\x1b[31mred\x07") == "a b?[31mred?"


def test_json_has_moments_in_utc_and_lengths_in_seconds() -> None:
    value = {"at": NOON, "took": timedelta(milliseconds=1_500), "ids": ("a", None, 1)}

    assert plain(value) == {
        "at": "2027-03-01T12:00:00+00:00",
        "took": 1.5,
        "ids": ["a", None, 1],
    }
