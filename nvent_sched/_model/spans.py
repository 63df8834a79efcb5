"""How a length of time is written for people. Pure."""

from __future__ import annotations

from typing import Final

from nvent_sched._model.instants import MILLISECOND_US, SECOND_US

MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
UNITS: Final = (
    (DAY_US, "d", HOUR_US, "h"),
    (HOUR_US, "h", MINUTE_US, "min"),
    (MINUTE_US, "min", SECOND_US, "s"),
)
SHORT: Final = 10
"""Below so many of a unit, a decimal of it is written."""


def us_words(length_us: int) -> str:
    """Write a length of time with its two largest units at most."""
    if length_us < 0:
        return f"-{us_words(-length_us)}"
    if length_us < SHORT * SECOND_US:
        return _short_words(length_us)
    if length_us < MINUTE_US:
        return f"{length_us // SECOND_US} s"
    unit_us, name, part_us, part_name = next(
        each for each in UNITS if length_us >= each[0]
    )
    rest = length_us % unit_us // part_us
    return f"{length_us // unit_us} {name}" + (f" {rest} {part_name}" if rest else "")


def _short_words(length_us: int) -> str:
    if length_us < MILLISECOND_US:
        return f"{length_us} µs" if length_us else "0 s"
    if length_us < SHORT * MILLISECOND_US:
        return f"{length_us / MILLISECOND_US:.1f} ms"
    if length_us < SECOND_US:
        return f"{length_us // MILLISECOND_US} ms"
    return f"{length_us / SECOND_US:.1f} s"
