"""What an end says to its store has its time, and then is broken off."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest

from nvent_sched._engine.lastwords import IN_HASTE_US, LAST_WORDS_US, LastWords
from nvent_sched._model.instants import MICROSECOND
from nvent_sched.errors import StoreUnavailableError
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SHORT, LONG = IN_HASTE_US * MICROSECOND, LAST_WORDS_US * MICROSECOND


class MovingClock(ManualClock):
    """A clock whose time would pass by itself; here it is told to."""

    moves_by_itself = True


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def words(clock: MovingClock) -> LastWords:
    begun = LastWords(clock)
    begun.begin(length_us=LAST_WORDS_US)
    return begun


class Silent:
    """A store that never answers."""

    def __init__(self) -> None:
        self.has_heard = False
        self.is_given_up = False

    async def answer(self) -> None:
        self.has_heard = True
        try:
            await anyio.sleep_forever()
        finally:
            self.is_given_up = True


async def spent(clock: MovingClock, say: Callable[[], Awaitable[None]]) -> timedelta:
    """How much time it takes."""
    before = clock.moment
    has_ended = anyio.Event()

    async def do() -> None:
        await say()
        has_ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(do)
        await anyio.wait_all_tasks_blocked()
        while not has_ended.is_set():
            await clock.advance(timedelta(seconds=1))
            await anyio.wait_all_tasks_blocked()
    return clock.moment - before


async def test_a_store_that_answers_costs_no_time(
    clock: MovingClock, words: LastWords
) -> None:
    assert await spent(clock, partial(words.say, anyio.lowlevel.checkpoint)) == (
        timedelta()
    )
    assert not words.are_unheard


async def test_one_that_is_silent_is_given_up_and_told_nothing_more(
    clock: MovingClock, words: LastWords
) -> None:
    first, second = Silent(), Silent()

    at_first = await spent(clock, partial(words.say, first.answer))
    then = await spent(clock, partial(words.close, second.answer))

    assert (at_first, then) == (LONG, timedelta())
    assert first.is_given_up
    assert second.has_heard, "it must let go of what it has"
    assert second.is_given_up


async def test_who_is_in_haste_gives_it_up_sooner(
    clock: MovingClock, words: LastWords
) -> None:
    words.begin(length_us=IN_HASTE_US)

    assert await spent(clock, partial(words.say, Silent().answer)) == SHORT


async def test_however_late_it_is_a_store_that_has_answered_has_a_moment(
    clock: MovingClock, words: LastWords
) -> None:
    await clock.advance(2 * LONG)

    assert await spent(clock, partial(words.say, Silent().answer)) == SHORT


async def test_a_store_is_closed_although_who_closes_it_is_cancelled(
    words: LastWords,
) -> None:
    closed = list[str]()

    async def close() -> None:
        await anyio.lowlevel.checkpoint()
        closed.append("closed")

    with anyio.CancelScope() as scope:
        scope.cancel()
        await words.close(close)

    assert closed == ["closed"]


async def test_a_clock_that_stands_still_breaks_nothing_off() -> None:
    still = ManualClock()
    words, silent, said = LastWords(still), Silent(), anyio.Event()

    async def say() -> None:
        await words.say(silent.answer)
        said.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(say)
        await anyio.wait_all_tasks_blocked()
        await still.advance(2 * LONG)
        was_said = said.is_set()
        tasks.cancel_scope.cancel()

    assert not was_said


async def test_what_goes_wrong_is_raised_as_it_is(words: LastWords) -> None:
    async def fail() -> None:
        msg = "gone"
        raise StoreUnavailableError(msg)

    with pytest.raises(StoreUnavailableError, match="gone"):
        await words.say(fail)
