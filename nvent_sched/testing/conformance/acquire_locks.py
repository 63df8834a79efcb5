"""`acquire_locks`: one holder at a time, the others in the order in which they asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.locks import LockBusy, LockGranted
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_run,
    an_ask,
    at,
)
from nvent_sched.testing.conformance.steps import acquire, claim, insert, put

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestAcquireLocks:
    """Give a lock to one ticket at a time."""

    async def test_a_free_lock_is_given_from_now_on(self, adapter: Adapter) -> None:
        answers = await adapter.acquire_locks([an_ask("a")], now=at(1, us=1))

        (granted,) = answers.answers
        assert isinstance(granted, LockGranted)
        assert granted.fence > 0
        assert granted.since == at(1, us=1)
        assert answers.now == at(1, us=1)

    async def test_a_lock_that_somebody_has_is_refused_with_who_and_until_when(
        self, adapter: Adapter
    ) -> None:
        await acquire(adapter, an_ask("a", holder="one"))

        busy = await acquire(adapter, an_ask("b"), now=at(3))

        assert busy == LockBusy(holder="one", since=NOON, until=at(30), ahead=0)

    async def test_other_names_are_other_locks(self, adapter: Adapter) -> None:
        asks = [an_ask("a", name="x"), an_ask("b", name="y"), an_ask("c", name="x")]

        answers = await adapter.acquire_locks(asks, now=NOON)

        assert [isinstance(each, LockGranted) for each in answers.answers] == [
            True,
            True,
            False,
        ]

    async def test_asking_again_with_the_ticket_extends_the_same_hold(
        self, adapter: Adapter
    ) -> None:
        first = await acquire(adapter, an_ask("a"))

        again = await acquire(adapter, an_ask("a"), now=at(20))

        assert again == first
        busy = await acquire(adapter, an_ask("b"), now=at(21))
        assert isinstance(busy, LockBusy)
        assert busy.until == at(50)

    async def test_a_hold_that_has_ended_is_free_for_the_next(
        self, adapter: Adapter
    ) -> None:
        first = await acquire(adapter, an_ask("a"))

        early = await acquire(adapter, an_ask("b"), now=at(29))
        late = await acquire(adapter, an_ask("b"), now=at(30))

        assert isinstance(first, LockGranted)
        assert isinstance(early, LockBusy)
        assert isinstance(late, LockGranted)
        assert late.fence > first.fence

    async def test_tokens_grow_across_locks_and_runs(self, adapter: Adapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        first = await acquire(adapter, an_ask("a", name="x"))
        (run,) = await claim(adapter)
        second = await acquire(adapter, an_ask("b", name="y"))

        assert isinstance(first, LockGranted)
        assert isinstance(second, LockGranted)
        assert first.fence < run.fence < second.fence

    async def test_a_token_is_never_given_twice_also_after_a_release(
        self, adapter: Adapter
    ) -> None:
        fences: list[int] = []
        for turn in range(5):
            ask = an_ask(f"t{turn}")
            granted = await acquire(adapter, ask, now=NOON)
            assert isinstance(granted, LockGranted)
            fences.append(granted.fence)
            await adapter.release_locks([ask], now=NOON)

        assert fences == sorted(set(fences))

    async def test_a_clock_that_was_set_back_keeps_nobody_waiting(
        self, adapter: Adapter
    ) -> None:
        await acquire(adapter, an_ask("a"), now=at(90_000))

        before = await acquire(adapter, an_ask("b"), now=NOON)
        after = await acquire(adapter, an_ask("b"), now=at(30))

        assert isinstance(before, LockBusy)
        assert before.until == at(30)
        assert isinstance(after, LockGranted)

    async def test_a_question_that_was_long_on_its_way_ends_no_hold_before_its_time(
        self, adapter: Adapter
    ) -> None:
        await acquire(adapter, an_ask("a"), now=at(20))
        await acquire(adapter, an_ask("b"), now=NOON)

        busy = await acquire(adapter, an_ask("c"), now=at(49))
        granted = await acquire(adapter, an_ask("c"), now=at(50))

        assert isinstance(busy, LockBusy)
        assert isinstance(granted, LockGranted)

    async def test_no_asks_are_no_answers(self, adapter: Adapter) -> None:
        assert (await adapter.acquire_locks([], now=NOON)).answers == ()


class TestLockQueue:
    """Who asked first gets it first, as long as it goes on asking."""

    async def test_those_who_wait_get_it_in_the_order_in_which_they_asked(
        self, adapter: Adapter
    ) -> None:
        asks = [an_ask(ticket, place_us=60 * SECOND_US) for ticket in "abcd"]
        await adapter.acquire_locks(asks, now=NOON)
        got: list[str] = []

        while asks:
            # The last asks first: that must not help it.
            answers = await adapter.acquire_locks(asks[::-1], now=at(1))
            (ask,) = [
                ask
                for ask, answer in zip(asks[::-1], answers.answers, strict=True)
                if isinstance(answer, LockGranted)
            ]
            got.append(ask.ticket)
            await adapter.release_locks([ask], now=at(1))
            asks.remove(ask)

        assert got == ["a", "b", "c", "d"]

    async def test_a_place_in_the_queue_says_how_many_are_before_it(
        self, adapter: Adapter
    ) -> None:
        asks = [an_ask(ticket, place_us=60 * SECOND_US) for ticket in "abc"]

        answers = await adapter.acquire_locks(asks, now=NOON)
        _, second, third = answers.answers

        assert isinstance(second, LockBusy)
        assert isinstance(third, LockBusy)
        assert [second.ahead, third.ahead] == [0, 1]

    async def test_who_does_not_wait_cannot_pass_those_who_do(
        self, adapter: Adapter
    ) -> None:
        holder = an_ask("a")
        await acquire(adapter, holder)
        await acquire(adapter, an_ask("b", place_us=5 * SECOND_US))
        await adapter.release_locks([holder], now=NOON)

        busy = await acquire(adapter, an_ask("c"), now=at(1))

        assert busy == LockBusy(holder="", since=None, until=at(5), ahead=1)

    async def test_a_place_that_is_not_asked_for_again_ends(
        self, adapter: Adapter
    ) -> None:
        holder = an_ask("a")
        await acquire(adapter, holder)
        await acquire(adapter, an_ask("b", place_us=5 * SECOND_US))
        await adapter.release_locks([holder], now=NOON)

        granted = await acquire(adapter, an_ask("c"), now=at(5))

        assert isinstance(granted, LockGranted)

    async def test_however_many_died_in_queues_nobody_waits_for_them(
        self, adapter: Adapter
    ) -> None:
        others = [
            an_ask(f"{number}", name="other", place_us=SECOND_US)
            for number in range(1_100)
        ]
        await adapter.acquire_locks(others, now=NOON)
        holder = an_ask("a")
        await acquire(adapter, holder)
        await acquire(adapter, an_ask("b", place_us=5 * SECOND_US))
        await adapter.release_locks([holder], now=NOON)

        granted = await acquire(adapter, an_ask("c"), now=at(5))

        assert isinstance(granted, LockGranted)

    async def test_who_died_in_the_queue_is_not_counted_any_more(
        self, adapter: Adapter
    ) -> None:
        first, dead, last = (an_ask(each, place_us=5 * SECOND_US) for each in "bcd")
        await adapter.acquire_locks([an_ask("a"), first, dead, last], now=NOON)
        await adapter.acquire_locks([first, last], now=at(4))

        busy = await acquire(adapter, last, now=at(5))

        assert isinstance(busy, LockBusy)
        assert busy.ahead == 1

    async def test_asking_again_keeps_the_place(self, adapter: Adapter) -> None:
        holder, waits = an_ask("a"), an_ask("b", place_us=5 * SECOND_US)
        await acquire(adapter, holder)
        await acquire(adapter, waits)
        await acquire(adapter, an_ask("c", place_us=20 * SECOND_US), now=at(1))
        await acquire(adapter, waits, now=at(4))
        await adapter.release_locks([holder], now=at(4))

        late = await acquire(adapter, an_ask("c", place_us=5 * SECOND_US), now=at(8))
        first = await acquire(adapter, waits, now=at(8))

        assert isinstance(late, LockBusy)
        assert isinstance(first, LockGranted)

    async def test_a_place_taken_before_a_clock_was_set_back_ends_all_the_same(
        self, adapter: Adapter
    ) -> None:
        holder = an_ask("a")
        await acquire(adapter, holder, now=at(90_000))
        await acquire(adapter, an_ask("b", place_us=5 * SECOND_US), now=at(90_000))
        await adapter.release_locks([holder], now=NOON)
        waits = an_ask("c", place_us=5 * SECOND_US)

        busy = await acquire(adapter, waits, now=NOON)
        granted = await acquire(adapter, waits, now=at(5))

        assert isinstance(busy, LockBusy)
        assert isinstance(granted, LockGranted)

    async def test_a_ticket_with_another_length_is_still_the_same_wish(
        self, adapter: Adapter
    ) -> None:
        first = await acquire(adapter, an_ask("a"))

        again = await acquire(adapter, replace(an_ask("a"), ttl_us=1), now=at(1))

        assert again == first
