"""How long a claim may be believed: never longer than it was granted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._rules.trust import Timing, trusted_until_us
from nvent_sched.errors import UsageError

lengths_us = st.integers(0, 10**12)


@given(asked_at_us=lengths_us, granted_us=lengths_us, margin_us=lengths_us)
def test_trust_lies_between_asking_and_what_was_granted(
    asked_at_us: int, granted_us: int, margin_us: int
) -> None:
    until_us = trusted_until_us(
        asked_at_us=asked_at_us, granted_us=granted_us, margin_us=margin_us
    )

    assert asked_at_us <= until_us <= asked_at_us + granted_us
    assert until_us in (asked_at_us, asked_at_us + granted_us - margin_us)


@given(
    lease_us=st.integers(-5, 100),
    heartbeat_us=st.integers(-5, 100),
    dead_after_us=st.integers(-5, 100),
)
def test_timing_leaves_a_renewal_the_time_to_fail_and_be_repeated(
    lease_us: int, heartbeat_us: int, dead_after_us: int
) -> None:
    fits = heartbeat_us > 0 and 3 * heartbeat_us <= dead_after_us <= lease_us

    try:
        timing = Timing(
            lease_us=lease_us, heartbeat_us=heartbeat_us, dead_after_us=dead_after_us
        )
    except UsageError:
        assert not fits
        return

    assert fits
    assert timing.margin_us + 2 * timing.heartbeat_us < timing.dead_after_us
    assert 0 <= timing.renew_after_us <= timing.lease_us / 2
    assert timing.renew_after_us + timing.dead_after_us <= timing.lease_us


def test_a_refusal_says_what_was_given_and_what_is_allowed() -> None:
    with pytest.raises(UsageError) as told:
        Timing(lease_us=10, heartbeat_us=4, dead_after_us=9)

    assert str(told.value) == (
        "heartbeat 4 µs, dead_after 9 µs, lease 10 µs: the heartbeat must fit three "
        "times into dead_after, which must not be longer than the lease"
    )
