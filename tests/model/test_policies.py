"""Policies refuse what cannot be meant, each with a message that says why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from nvent_sched._model.instants import Instant
from nvent_sched._model.policies import (
    ATTEMPTS_LIMIT,
    COUNT_LIMIT,
    Policies,
    Retry,
    exception_name,
)
from nvent_sched.errors import UsageError


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"attempts": 0}, "attempts must be between 1 and 1000, not 0"),
        ({"attempts": ATTEMPTS_LIMIT + 1}, "attempts must be between 1 and 1000"),
        ({"attempts": 2.0}, "attempts must be an int, not 2.0"),
        ({"attempts": True}, "attempts must be an int, not True"),
        ({"delay": 1}, "delay must be a timedelta, not int 1"),
        ({"delay": timedelta(-1)}, "delay must be at least 0:00:00"),
        ({"delay_max": timedelta(-1)}, "delay_max must be at least 0:00:00"),
        ({"backoff": 0.5}, "backoff must be between 1 and 1000, not 0.5"),
        ({"backoff": float("nan")}, "backoff must be between 1 and 1000, not nan"),
        ({"backoff": []}, "backoff must be between 1 and 1000, not "),
        ({"jitter": "x"}, "jitter must be a share between 0 and 1, not 'x'"),
        ({"backoff": 1_001}, "backoff must be between 1 and 1000, not 1001"),
        ({"jitter": -0.1}, "jitter must be a share between 0 and 1, not -0.1"),
        ({"jitter": 1.1}, "jitter must be a share between 0 and 1, not 1.1"),
        ({"on": (3,)}, "expected an exception class or its dotted name, not 3"),
        ({"never_on": (int,)}, "expected an exception class or its dotted name"),
    ],
    ids=str,
)
def test_a_retry_that_cannot_be_meant_is_refused(
    wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"^{message}"):
        Retry(**wrong)


def test_exceptions_are_kept_by_their_dotted_names() -> None:
    retry = Retry(on=(ValueError, "my.Error"), never_on=("x",))

    assert retry.on == ("builtins.ValueError", "my.Error")
    assert retry.never_on == ("x",)


def test_a_single_exception_need_not_be_in_a_tuple() -> None:
    one: Any = KeyError

    assert Retry(on=one) == Retry(on=(KeyError,))


def test_a_nested_exception_is_named_with_what_it_is_in() -> None:
    class InnerError(Exception):
        pass

    name = exception_name(InnerError)

    assert name.endswith("what_it_is_in.<locals>.InnerError")


def test_waits_are_read_in_microseconds() -> None:
    retry = Retry(delay=timedelta(microseconds=3), delay_max=timedelta(seconds=2))

    assert (retry.delay_us, retry.delay_us_max) == (3, 2_000_000)


@pytest.mark.parametrize(
    "name",
    [
        "buffer_max",
        "catch_up_max",
        "crashes_max",
        "running_max",
        "pause_after_failures",
        "runs_max",
    ],
)
@pytest.mark.parametrize("value", [0, -1, COUNT_LIMIT + 1])
def test_a_count_out_of_range_is_refused_by_its_name(name: str, value: int) -> None:
    wrong: dict[str, Any] = {name: value}

    with pytest.raises(UsageError, match=f"^{name} must be between 1 and 1000000000"):
        Policies(**wrong)


@pytest.mark.parametrize("name", ["timeout_us", "stall_after_us"])
def test_a_length_below_a_millisecond_is_refused_by_its_name(name: str) -> None:
    short: dict[str, Any] = {name: 999}

    with pytest.raises(UsageError, match=f"^{name} must be at least a millisecond"):
        Policies(**short)


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^ends_at is before starts_at"):
        Policies(starts_at=Instant(2), ends_at=Instant(1))


def test_a_job_may_start_and_end_at_one_instant() -> None:
    assert Policies(starts_at=Instant(1), ends_at=Instant(1)).ends_at == 1
