"""Whether a failed attempt is followed by another, and when. Pure."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.policies import Retry

GROWTH_MAX: Final = 1e15
"""What the first wait is multiplied by at most: finite, so that 0 stays 0."""


def is_worth_retrying(retry: Retry, *, attempt: int, kinds: Sequence[str]) -> bool:
    """Say whether there is another attempt.

    Args:
        retry: The job's policy.
        attempt: The number of the one that failed, from 1.
        kinds: Dotted names of the error's class and its bases.
    """
    if attempt >= retry.attempts:
        return False
    if any(kind in retry.never_on for kind in kinds):
        return False
    return not retry.on or any(kind in retry.on for kind in kinds)


def retry_delay_us(retry: Retry, *, attempt: int, run_id: str) -> int:
    """Say how long to wait after an attempt that failed.

    Args:
        retry: The job's policy.
        attempt: The number of the one that failed, from 1.
        run_id: What the jitter is drawn from, together with the attempt.

    Returns:
        Microseconds, at least 0 and at most `delay_us_max`.
    """
    ceiling = retry.delay_us_max
    delay_us = int(min(retry.delay_us * _growth(retry, attempt=attempt), ceiling))
    if retry.jitter:
        digest = blake2b(f"{run_id}#{attempt}".encode(), digest_size=8).digest()
        share = int.from_bytes(digest, "big") / 2**64
        delay_us -= int(delay_us * retry.jitter * share)
    return delay_us


def _growth(retry: Retry, *, attempt: int) -> float:
    try:
        return min(retry.backoff ** (attempt - 1), GROWTH_MAX)
    except OverflowError:  # 1,000 ** 103 is more than a float holds
        return GROWTH_MAX
