"""The histogram: never falling, tight, and the same however it was put together."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.histogram import (
    BUCKETS,
    bucket_of,
    bucket_top_us,
    percentile_us,
)

TOP_US = bucket_top_us(BUCKETS - 1)
lengths = st.integers(1, TOP_US)
many_lengths = st.lists(lengths, min_size=1, max_size=50)


@given(st.integers(), st.integers())
def test_a_longer_length_is_never_in_a_lower_bucket(one: int, other: int) -> None:
    shorter, longer = sorted((one, other))

    assert 0 <= bucket_of(shorter) <= bucket_of(longer) < BUCKETS


@given(lengths)
def test_the_top_of_a_bucket_is_the_longest_length_in_it(length_us: int) -> None:
    bucket = bucket_of(length_us)
    top_us = bucket_top_us(bucket)

    assert length_us <= top_us
    assert bucket_of(top_us) == bucket
    assert top_us == TOP_US or bucket_of(top_us + 1) > bucket


@given(lengths)
def test_the_top_is_at_most_a_quarter_above_the_length(length_us: int) -> None:
    assert bucket_top_us(bucket_of(length_us)) <= length_us * 5 / 4


def test_the_tops_never_fall_and_reach_twelve_days() -> None:
    tops = [bucket_top_us(bucket) for bucket in range(BUCKETS)]

    assert tops == sorted(tops)
    assert tops[0] == 1
    assert tops[-1] > 12 * 86_400_000_000


@pytest.mark.parametrize("length_us", [-5, 0, 1])
def test_less_than_a_microsecond_counts_as_one(length_us: int) -> None:
    assert bucket_of(length_us) == 0


@given(many_lengths, many_lengths)
def test_counts_added_up_are_the_histogram_of_both(
    some: list[int], more: list[int]
) -> None:
    apart = Counter(map(bucket_of, some)) + Counter(map(bucket_of, more))

    assert apart == Counter(map(bucket_of, some + more))


@given(many_lengths, st.floats(0, 1))
def test_a_percentile_is_reached_by_that_share_and_is_close(
    each_us: list[int], share: float
) -> None:
    estimate_us = percentile_us(Counter(map(bucket_of, each_us)), share=share)

    assert estimate_us is not None
    assert sum(each <= estimate_us for each in each_us) >= share * len(each_us) - 1e-9
    assert any(each <= estimate_us <= each * 5 / 4 for each in each_us)


@given(many_lengths)
def test_the_highest_percentile_is_not_below_the_longest_length(
    each_us: list[int],
) -> None:
    estimate_us = percentile_us(Counter(map(bucket_of, each_us)), share=1)

    assert estimate_us == bucket_top_us(bucket_of(max(each_us)))


def test_without_counts_there_is_no_percentile() -> None:
    assert percentile_us({}, share=0.5) is None
    assert percentile_us({3: 0}, share=0.5) is None
