"""For how long a hold is believed, and when it is renewed and asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.instants import Instant
from nvent_sched._model.locks import LockBusy
from nvent_sched._rules.locking import (
    PLACE_US,
    TTL_US_MIN,
    ask_after_us,
    held_until_us,
    renew_at_us,
    retry_after_us,
)

times = st.integers(min_value=0, max_value=10**15)
lengths = st.integers(min_value=TTL_US_MIN, max_value=10**12)


@given(asked_at_us=times, ttl_us=lengths)
def test_a_hold_is_renewed_and_tried_again_well_before_it_is_believed_no_more(
    asked_at_us: int, ttl_us: int
) -> None:
    renew_us = renew_at_us(asked_at_us=asked_at_us, ttl_us=ttl_us)
    until_us = held_until_us(asked_at_us=asked_at_us, ttl_us=ttl_us)

    assert asked_at_us < renew_us < until_us < asked_at_us + ttl_us
    assert renew_us + 7 * retry_after_us(ttl_us) < until_us


@given(now_us=times, until_us=times, ahead=st.integers(min_value=0, max_value=99))
def test_who_waits_asks_again_later_and_often_enough_to_keep_its_place(
    now_us: int, until_us: int, ahead: int
) -> None:
    busy = LockBusy(holder="one", since=None, until=Instant(0), ahead=ahead)

    ask_us = ask_after_us(busy, now_us=now_us, until_us=until_us)

    assert now_us < ask_us <= now_us + PLACE_US // 5
