"""Whether a failed attempt is followed by another, and after how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.policies import ATTEMPTS_LIMIT, Retry
from nvent_sched._rules.retries import is_worth_retrying, retry_delay_us

SECOND: Final = timedelta(seconds=1)
KINDS: Final = ("builtins.FileNotFoundError", "builtins.OSError", "builtins.Exception")
retries = st.builds(
    Retry,
    attempts=st.integers(1, ATTEMPTS_LIMIT),
    delay=st.timedeltas(timedelta(0), timedelta(days=400)),
    backoff=st.floats(1, 1_000),
    delay_max=st.timedeltas(timedelta(0), timedelta(days=400)),
    jitter=st.floats(0, 1),
)
attempt_numbers = st.integers(1, ATTEMPTS_LIMIT)


@pytest.mark.parametrize(
    ("attempt", "is_retried"), [(1, True), (2, True), (3, False), (4, False)]
)
def test_there_are_as_many_attempts_as_allowed(
    *, attempt: int, is_retried: bool
) -> None:
    retry = Retry(attempts=3)

    assert is_worth_retrying(retry, attempt=attempt, kinds=KINDS) is is_retried


@pytest.mark.parametrize(
    ("on", "never_on", "is_retried"),
    [
        ((), (), True),
        ((FileNotFoundError,), (), True),
        ((OSError,), (), True),
        ((ValueError,), (), False),
        ((ValueError, OSError), (), True),
        ((), (OSError,), False),
        ((), (ValueError,), True),
        ((OSError,), (FileNotFoundError,), False),
        (("builtins.OSError",), (), True),
    ],
)
def test_a_class_stands_for_its_subclasses_and_never_on_wins(
    *,
    on: tuple[type[Exception] | str, ...],
    never_on: tuple[type[Exception] | str, ...],
    is_retried: bool,
) -> None:
    retry = Retry(attempts=2, on=on, never_on=never_on)

    assert is_worth_retrying(retry, attempt=1, kinds=KINDS) is is_retried


@pytest.mark.parametrize(
    ("retry", "waits_s"),
    [
        (Retry(delay=SECOND, backoff=1), [1, 1, 1, 1]),
        (Retry(delay=SECOND, backoff=2), [1, 2, 4, 8]),
        (Retry(delay=3 * SECOND, backoff=1.5), [3, 4.5, 6.75, 10.125]),
        (Retry(delay=SECOND, backoff=10, delay_max=50 * SECOND), [1, 10, 50, 50]),
        (Retry(delay=timedelta(0)), [0, 0, 0, 0]),
    ],
)
def test_each_wait_is_the_one_before_times_the_backoff(
    retry: Retry, waits_s: list[float]
) -> None:
    waits_us = [retry_delay_us(retry, attempt=n, run_id="run") for n in (1, 2, 3, 4)]

    assert waits_us == [round(wait * 1_000_000) for wait in waits_s]


def test_a_small_backoff_goes_on_growing() -> None:
    retry = Retry(attempts=ATTEMPTS_LIMIT, delay=SECOND, backoff=1.01)

    waits_us = [retry_delay_us(retry, attempt=n, run_id="run") for n in (200, 300, 900)]

    assert waits_us == [int(1_000_000 * 1.01 ** (n - 1)) for n in (200, 300, 900)]


def test_a_wait_too_long_for_a_float_is_the_longest_wait() -> None:
    retry = Retry(attempts=ATTEMPTS_LIMIT, delay=SECOND, backoff=1_000)

    assert retry_delay_us(retry, attempt=500, run_id="run") == retry.delay_us_max


@given(retry=retries, attempt=attempt_numbers)
def test_a_wait_is_never_negative_and_never_too_long(
    retry: Retry, attempt: int
) -> None:
    wait_us = retry_delay_us(retry, attempt=attempt, run_id="run")

    assert 0 <= wait_us <= retry.delay_us_max


@given(retry=retries, attempt=attempt_numbers)
def test_jitter_takes_off_at_most_its_share_and_is_the_same_everywhere(
    retry: Retry, attempt: int
) -> None:
    exact = Retry(delay=retry.delay, backoff=retry.backoff, delay_max=retry.delay_max)

    wait_us = retry_delay_us(retry, attempt=attempt, run_id="run")
    whole_us = retry_delay_us(exact, attempt=attempt, run_id="run")

    assert whole_us * (1 - retry.jitter) - 1 <= wait_us <= whole_us
    assert wait_us == retry_delay_us(retry, attempt=attempt, run_id="run")


def test_jitter_parts_the_runs_that_failed_together() -> None:
    retry = Retry(delay=60 * SECOND, jitter=0.5)

    waits_us = {retry_delay_us(retry, attempt=1, run_id=f"run {n}") for n in range(50)}

    assert len(waits_us) == 50


@given(retry=retries, attempt=st.integers(1, ATTEMPTS_LIMIT - 1))
def test_without_jitter_no_wait_is_shorter_than_the_one_before(
    retry: Retry, attempt: int
) -> None:
    exact = Retry(delay=retry.delay, backoff=retry.backoff, delay_max=retry.delay_max)

    before_us = retry_delay_us(exact, attempt=attempt, run_id="run")

    assert retry_delay_us(exact, attempt=attempt + 1, run_id="run") >= before_us
