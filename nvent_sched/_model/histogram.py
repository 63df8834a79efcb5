"""A fixed-size, mergeable histogram of lengths of time. Pure.

Buckets grow by a quarter of a power of two, so that a percentile is at most 25 %
too high; 160 of them reach from a microsecond to twelve days. Adding the counts
of two histograms gives the histogram of both, which is why it can be kept as plain
counters by any store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

STEPS_PER_DOUBLING: Final = 4
BUCKETS: Final = 160


def bucket_of(length_us: int) -> int:
    """Say which bucket counts a length of time.

    Args:
        length_us: Microseconds; less than 1 counts as 1.

    Returns:
        0 to `BUCKETS` - 1, never falling as the length grows.
    """
    length = max(1, length_us)
    power = length.bit_length() - 1
    quarter = (length << 2 >> power) - STEPS_PER_DOUBLING
    return min(BUCKETS - 1, power * STEPS_PER_DOUBLING + quarter)


def bucket_top_us(bucket: int) -> int:
    """Say the longest length that a bucket counts, in microseconds."""
    power, quarter = divmod(bucket + 1, STEPS_PER_DOUBLING)
    above = (STEPS_PER_DOUBLING + quarter) << power
    return max(1, -(-above // STEPS_PER_DOUBLING) - 1)


def percentile_us(counts: Mapping[int, int], *, share: float) -> int | None:
    """Estimate a percentile.

    Args:
        counts: How many lengths each bucket holds.
        share: 0.5 for the median, 0.99 for the 99th percentile.

    Returns:
        The top of the bucket that holds it, in microseconds; None without counts.
    """
    total = sum(counts.values())
    if total == 0:
        return None
    wanted, seen = share * total, 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= wanted:
            return bucket_top_us(bucket)
    return bucket_top_us(max(counts))
