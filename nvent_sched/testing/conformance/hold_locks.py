"""`renew_locks`, `release_locks`, `read_locks`: what is done about locks that are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.claims import STALE, STORED
from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.locks import LockBusy, LockGranted, LockRecord
from nvent_sched.testing.conformance.builders import NOON, an_ask, at
from nvent_sched.testing.conformance.steps import acquire

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestRenewLocks:
    """Extend what is still ours, and nothing else."""

    async def test_a_renewed_hold_lasts_from_now_on(self, adapter: Adapter) -> None:
        await acquire(adapter, an_ask("a"))

        verdicts = await adapter.renew_locks([an_ask("a")], now=at(20))

        assert verdicts == (STORED,)
        busy = await acquire(adapter, an_ask("b"), now=at(49))
        assert isinstance(busy, LockBusy)
        assert busy.until == at(50)

    async def test_each_of_a_batch_has_its_own_verdict(self, adapter: Adapter) -> None:
        await acquire(adapter, an_ask("a", name="x"))
        await acquire(adapter, an_ask("b", name="y"))
        asks = [an_ask("a", name="x"), an_ask("z", name="y"), an_ask("b", name="y")]

        verdicts = await adapter.renew_locks(asks, now=NOON)

        assert verdicts == (STORED, STALE, STORED)

    async def test_a_hold_that_another_took_is_stale_and_takes_nothing_back(
        self, adapter: Adapter
    ) -> None:
        await acquire(adapter, an_ask("a"))
        await acquire(adapter, an_ask("b", holder="two"), now=at(31))

        verdicts = await adapter.renew_locks([an_ask("a")], now=at(32))

        assert verdicts == (STALE,)
        (record,) = await adapter.read_locks(now=at(32), limit=9)
        assert record.holder == "two"
        assert record.until == at(61)

    async def test_a_hold_that_ended_and_nobody_took_can_be_renewed(
        self, adapter: Adapter
    ) -> None:
        granted = await acquire(adapter, an_ask("a"))
        await acquire(adapter, an_ask("b", name="another"), now=at(90_000))

        verdicts = await adapter.renew_locks([an_ask("a")], now=at(90_000))

        assert verdicts == (STORED,)
        assert await acquire(adapter, an_ask("a"), now=at(90_001)) == granted

    async def test_a_place_in_the_queue_is_no_hold(self, adapter: Adapter) -> None:
        await acquire(adapter, an_ask("a"))
        waits = an_ask("b", place_us=SECOND_US)
        await acquire(adapter, waits)

        assert await adapter.renew_locks([waits], now=NOON) == (STALE,)

    async def test_no_asks_are_no_verdicts(self, adapter: Adapter) -> None:
        assert await adapter.renew_locks([], now=NOON) == ()


class TestReleaseLocks:
    """Give back what is ours, and nothing else."""

    async def test_a_released_lock_is_free(self, adapter: Adapter) -> None:
        await acquire(adapter, an_ask("a"))

        await adapter.release_locks([an_ask("a")], now=NOON)

        assert isinstance(await acquire(adapter, an_ask("b")), LockGranted)

    async def test_it_may_be_said_twice(self, adapter: Adapter) -> None:
        await acquire(adapter, an_ask("a"))
        await adapter.release_locks([an_ask("a")], now=NOON)
        await acquire(adapter, an_ask("b", holder="two"))

        await adapter.release_locks([an_ask("a")], now=NOON)

        busy = await acquire(adapter, an_ask("c"))
        assert isinstance(busy, LockBusy)
        assert busy.holder == "two"

    async def test_who_waits_gives_back_its_place(self, adapter: Adapter) -> None:
        holder, waits = an_ask("a"), an_ask("b", place_us=60 * SECOND_US)
        await acquire(adapter, holder)
        await acquire(adapter, waits)

        await adapter.release_locks([waits], now=NOON)
        await adapter.release_locks([holder], now=NOON)

        assert isinstance(await acquire(adapter, an_ask("c")), LockGranted)


class TestReadLocks:
    """List what is held."""

    async def test_a_lock_is_listed_with_who_has_it_and_how_many_wait(
        self, adapter: Adapter
    ) -> None:
        granted = await acquire(adapter, an_ask("a", holder="one"), now=at(0, us=1))
        for ticket in "bc":
            await acquire(adapter, an_ask(ticket, place_us=SECOND_US), now=at(0, us=1))

        records = await adapter.read_locks(now=at(1), limit=9)

        assert isinstance(granted, LockGranted)
        assert records == (
            LockRecord(
                name="lock",
                holder="one",
                fence=granted.fence,
                since=at(0, us=1),
                until=at(30, us=1),
                waiters=2,
            ),
        )

    async def test_those_that_end_first_come_first_and_no_more_than_wanted(
        self, adapter: Adapter
    ) -> None:
        for seconds, name in enumerate("dbca"):
            await acquire(adapter, an_ask(name, name=name), now=at(seconds))

        records = await adapter.read_locks(now=at(4), limit=3)

        assert [record.name for record in records] == ["d", "b", "c"]

    async def test_what_is_free_or_has_ended_is_not_listed(
        self, adapter: Adapter
    ) -> None:
        await acquire(adapter, an_ask("a", name="ended"))
        await acquire(adapter, an_ask("b", name="released"), now=at(1))
        await adapter.release_locks([an_ask("b", name="released")], now=at(1))

        assert await adapter.read_locks(now=at(30), limit=9) == ()

    async def test_nothing_is_left_of_locks_that_were_released(
        self, adapter: Adapter
    ) -> None:
        asks = [
            an_ask(f"{name}{turn}", name=f"n{name}", place_us=SECOND_US)
            for name in range(3)
            for turn in range(3)
        ]
        await adapter.acquire_locks(asks, now=NOON)

        await adapter.release_locks(asks, now=NOON)

        assert await adapter.read_locks(now=NOON, limit=9) == ()
