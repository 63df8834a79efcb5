"""`confirm`: a claim that is ours is as safe as the store was asked to keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched.testing.conformance.builders import a_job, a_run
from nvent_sched.testing.conformance.steps import claim, insert, put

if TYPE_CHECKING:
    from nvent_sched._port import Adapter


class TestConfirm:
    """Say which claims are as safe as the store was asked to keep them."""

    async def test_where_no_replica_was_asked_for_every_claim_is_safe(
        self, adapter: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run("a"), a_run("b"))
        claimed = await claim(adapter)

        assert await adapter.confirm(claimed) == {"a", "b"}

    async def test_of_no_claims_none_is_safe(self, adapter: Adapter) -> None:
        assert await adapter.confirm(()) == frozenset()
