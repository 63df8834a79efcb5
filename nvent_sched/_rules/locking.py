"""How a lock is held: for how long, when it is renewed, when it is asked for again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import MILLISECOND_US, SECOND_US
from nvent_sched._rules.trust import trusted_until_us

if TYPE_CHECKING:
    from nvent_sched._model.locks import LockBusy

TTL_US_MIN: Final = 100 * MILLISECOND_US
PLACE_US: Final = 5 * SECOND_US
"""For how long a place in the queue is kept by one question: so long does one that died
hold up those behind it."""
POLL_US: Final = 500 * MILLISECOND_US
"""How long to wait with the next question, if nobody tells earlier."""
POLL_FIRST_US: Final = 100 * MILLISECOND_US
"""The same for who is the next to get it."""
POLL_US_MIN: Final = 5 * MILLISECOND_US
MARGIN_PARTS: Final = 10


def held_until_us(*, asked_at_us: int, ttl_us: int) -> int:
    """Say when we must stop acting on a lock, on the monotonic clock.

    Args:
        asked_at_us: When it was asked for, not when it was given.
        ttl_us: For how long the store gives it.

    Returns:
        A tenth of *ttl_us* before the store may give it to somebody else.
    """
    return trusted_until_us(
        asked_at_us=asked_at_us, granted_us=ttl_us, margin_us=ttl_us // MARGIN_PARTS
    )


def renew_at_us(*, asked_at_us: int, ttl_us: int) -> int:
    """Say when a hold is renewed: when half of it is over."""
    return asked_at_us + ttl_us // 2


def retry_after_us(ttl_us: int) -> int:
    """Say how long to wait after a renewal that failed: several fit into what is left."""
    return min(POLL_US, ttl_us // 20)


def ask_after_us(busy: LockBusy, *, now_us: int, until_us: int) -> int:
    """Say when to ask again for a lock that somebody else has.

    Args:
        busy: The answer to the last question.
        now_us: On the monotonic clock.
        until_us: Where *busy.until* lies on it.

    Returns:
        Later than *now_us*, and long before the place in the queue ends.
    """
    poll_us = POLL_US if busy.ahead else POLL_FIRST_US
    return max(now_us + POLL_US_MIN, min(now_us + poll_us, until_us))
