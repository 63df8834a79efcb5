"""Whether a failed attempt is followed by another, and when. Pure."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.policies import Retry

RECOVERY_US: Final = SECOND_US
RECOVERY_US_MAX: Final = 40 * SECOND_US
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
        share = _share_of(f"{run_id}#{attempt}")
        delay_us -= int(delay_us * retry.jitter * share)
    return delay_us


def recovery_delay_us(*, crashes: int, run_id: str) -> int:
    """Say how long to wait before a run is taken up again that instances died with.

    The first time not at all. If it happens again, one of those that were going is to
    blame: drawn apart, they are not all going when it takes the next instance with it.

    Args:
        crashes: How many instances died with it, from 1.
        run_id: What the moment is drawn from, together with that number.

    Returns:
        Microseconds: 0, then 1 to 3 s, 2 to 6 s and so on, at most 60 s.
    """
    if crashes <= 1:
        return 0
    middle_us = min(RECOVERY_US * 2 ** min(crashes - 1, 30), RECOVERY_US_MAX)
    return int(middle_us * (0.5 + _share_of(f"{run_id}#lost{crashes}")))


def _share_of(text: str) -> float:
    """Draw from a text: at least 0, less than 1, always the same."""
    digest = blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _growth(retry: Retry, *, attempt: int) -> float:
    try:
        return min(retry.backoff ** (attempt - 1), GROWTH_MAX)
    except OverflowError:  # 1,000 ** 103 is more than a float holds
        return GROWTH_MAX
