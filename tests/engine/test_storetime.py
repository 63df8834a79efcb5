"""The estimate of the store's clock: never ahead of it, and as close as the best answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._engine.storetime import StoreTime
from nvent_sched._model.instants import MICROSECOND, MILLISECOND_US, SECOND_US, Instant
from nvent_sched.testing import ManualClock
from tests.engine.conftest import START

if TYPE_CHECKING:
    from collections.abc import Sequence

AHEAD_US = 7 * SECOND_US


class Server:
    """A server with a clock of its own, and the way to it.

    Attributes:
        ahead_us: How far its clock is ahead of the monotonic clock here.
        rate_ppm: By how many millionths it runs faster.
    """

    def __init__(self, clock: ManualClock, *, rate_ppm: int = 0) -> None:
        self.ahead_us, self.rate_ppm, self._clock = AHEAD_US, rate_ppm, clock

    def now(self) -> Instant:
        here_us = self._clock.monotonic_us()
        return Instant(here_us + self.ahead_us + here_us * self.rate_ppm // 1_000_000)

    async def answer(self, time: StoreTime, *, there_us: int, back_us: int) -> None:
        """Be asked, say the time, and be heard."""
        asked_at_us = self._clock.monotonic_us()
        await self._clock.advance(there_us * MICROSECOND)
        said = self.now()
        await self._clock.advance(back_us * MICROSECOND)
        time.observe(said, asked_at_us=asked_at_us)


@pytest.fixture
def time(clock: ManualClock) -> StoreTime:
    return StoreTime(clock, has_own_clock=True)


async def test_a_slow_way_to_the_store_does_not_put_its_clock_forward(
    clock: ManualClock, time: StoreTime
) -> None:
    server = Server(clock)

    await server.answer(time, there_us=20 * MILLISECOND_US, back_us=0)

    assert time.now() == server.now()


async def test_a_slow_answer_spoils_no_better_one(
    clock: ManualClock, time: StoreTime
) -> None:
    server = Server(clock)

    await server.answer(time, there_us=100, back_us=100)
    await server.answer(time, there_us=100, back_us=20 * MILLISECOND_US)

    assert 0 <= server.now() - time.now() <= 110


@pytest.mark.parametrize("set_by", [timedelta(minutes=5), timedelta(minutes=-5)])
async def test_a_clock_that_was_set_is_followed_with_its_next_answer(
    clock: ManualClock, time: StoreTime, set_by: timedelta
) -> None:
    server = Server(clock)
    await server.answer(time, there_us=100, back_us=100)

    server.ahead_us += set_by // MICROSECOND
    await server.answer(time, there_us=100, back_us=100)

    assert 0 <= server.now() - time.now() <= 100


@given(
    rate_ppm=st.integers(-100, 100),
    ways=st.lists(
        st.tuples(
            st.integers(0, 10 * SECOND_US),
            st.integers(0, 50_000),
            st.integers(0, 50_000),
        ),
        min_size=1,
        max_size=20,
    ),
)
async def test_it_is_never_ahead_and_no_further_behind_than_the_last_answer_took(
    rate_ppm: int, ways: Sequence[tuple[int, int, int]]
) -> None:
    clock = ManualClock(START)
    server, time = (
        Server(clock, rate_ppm=rate_ppm),
        StoreTime(clock, has_own_clock=True),
    )
    for pause_us, there_us, back_us in ways:
        await clock.advance(pause_us * MICROSECOND)
        await server.answer(time, there_us=there_us, back_us=back_us)

        behind_us = server.now() - time.now()

        # What is rounded, and how much slower the other clock ran meanwhile.
        assert -2 <= behind_us <= back_us + back_us // 10_000 + 2


async def test_a_good_answer_fades_also_where_others_follow_at_once(
    clock: ManualClock, time: StoreTime
) -> None:
    server = Server(clock, rate_ppm=-100)
    await server.answer(time, there_us=0, back_us=0)
    for _ in range(500):
        await server.answer(time, there_us=5_000, back_us=0)

        assert time.now() <= server.now() + 2
