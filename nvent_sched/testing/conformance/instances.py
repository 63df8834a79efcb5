"""`renew`, `leave`, `read_instances`: who is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvent_sched.testing.conformance.builders import (
    LEASE_US,
    NOON,
    an_instance,
    at,
)
from nvent_sched.testing.conformance.steps import beat

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestInstances:
    """An instance is listed from its first heartbeat until it leaves or is dead."""

    async def test_at_first_nobody_is_listed(self, adapter: Adapter) -> None:
        assert await adapter.read_instances() == ()

    async def test_the_first_heartbeat_lists_an_instance_as_it_says_it_is(
        self, adapter: Adapter
    ) -> None:
        one = an_instance(handlers=("a", "é"), running=3)

        await adapter.renew(one, [], lease_us=LEASE_US, now=at(1, us=1))

        expected = replace(one, heartbeat_at=at(1, us=1))
        assert await adapter.read_instances() == (expected,)

    async def test_each_heartbeat_says_what_the_instance_is_now(
        self, adapter: Adapter
    ) -> None:
        await beat(adapter)
        later = an_instance(handlers=("more",), running=7)

        await adapter.renew(later, [], lease_us=LEASE_US, now=at(5))

        assert await adapter.read_instances() == (replace(later, heartbeat_at=at(5)),)

    async def test_the_oldest_comes_first_then_the_id_decides(
        self, adapter: Adapter
    ) -> None:
        starts = {"c": 2, "b": 1, "a": 2, "d": 0}
        for name, start in starts.items():
            instance = an_instance(name, started_at=at(start))
            await adapter.renew(instance, [], lease_us=LEASE_US, now=at(9))

        listed = await adapter.read_instances()

        assert [instance.id for instance in listed] == ["d", "b", "a", "c"]

    async def test_who_leaves_is_not_listed_any_more(self, adapter: Adapter) -> None:
        await beat(adapter, "one")
        await beat(adapter, "two")

        await adapter.leave("one", now=NOON)

        assert [each.id for each in await adapter.read_instances()] == ["two"]

    async def test_leaving_twice_or_without_having_come_does_nothing(
        self, adapter: Adapter
    ) -> None:
        await beat(adapter)

        for instance_id in ("one", "one", "nobody"):
            await adapter.leave(instance_id, now=NOON)

        assert await adapter.read_instances() == ()
