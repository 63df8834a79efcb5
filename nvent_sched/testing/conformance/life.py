"""`open`, `close` and `traits`: what an adapter says of itself, and who shares it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvent_sched._model.claims import STALE, STORED
from nvent_sched._model.queries import JobQuery
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    NOON,
    a_job,
    a_plan,
    a_run,
    a_write,
    an_end,
    an_event,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    beat,
    claim,
    insert,
    put,
    read_job,
    read_run,
    settle,
    take_lost_ids,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nvent_sched._port import Adapter


class TestLife:
    """An adapter says what it can do, and closes more than once without harm."""

    async def test_an_adapter_names_itself_and_says_where_it_is(
        self, adapter: Adapter
    ) -> None:
        assert adapter.traits.name
        assert adapter.traits.hint_delay_us_max > 0
        assert adapter.url

    async def test_closing_twice_does_nothing_more(
        self, new_adapter: Callable[[], Adapter]
    ) -> None:
        adapter = new_adapter()
        await adapter.open(now=NOON)

        await adapter.close()
        await adapter.close()

    async def test_two_new_stores_have_nothing_in_common(
        self, adapter: Adapter, new_adapter: Callable[[], Adapter]
    ) -> None:
        await put(adapter, a_job())
        other = new_adapter()
        await other.open(now=NOON)

        page = await other.read_jobs(JobQuery())
        await other.close()

        assert page.items == ()


class TestSharing:
    """Two adapters on the same store see one store."""

    @pytest.fixture
    async def second(
        self, adapter: Adapter, same_store: Callable[[Adapter], Adapter | None]
    ) -> AsyncIterator[Adapter]:
        """Open the store once more."""
        second = same_store(adapter)
        if second is None:
            pytest.skip(f"traits: {adapter.traits.name} is not shared")
        await second.open(now=NOON)
        yield second
        await second.close()

    async def test_what_one_writes_the_other_reads(
        self, adapter: Adapter, second: Adapter
    ) -> None:
        await put(adapter, a_job())
        await put(second, the_next(a_job()))
        await beat(adapter, "one")
        await beat(second, "two")
        await adapter.publish([an_event("told")])

        assert await read_job(adapter) == the_next(a_job())
        assert len(await second.read_instances()) == 2
        assert [each.detail for each in await second.read_events(after=0, limit=9)] == [
            "told"
        ]

    async def test_of_two_writes_one_wins(
        self, adapter: Adapter, second: Adapter
    ) -> None:
        assert await adapter.put_jobs([a_write(a_job())], now=NOON) == (STORED,)
        assert await second.put_jobs([a_write(a_job())], now=NOON) == (STALE,)

    async def test_of_two_plans_one_wins(
        self, adapter: Adapter, second: Adapter
    ) -> None:
        await put(adapter, a_job(look_at=NOON))
        (due,) = (await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)).jobs

        first = await adapter.commit_plans([a_plan(the_next(due.job))], now=NOON)
        again = await second.commit_plans([a_plan(the_next(due.job))], now=NOON)

        assert first != (STALE,)
        assert again == (STALE,)

    async def test_of_two_claims_one_wins_and_fences_grow_through_both(
        self, adapter: Adapter, second: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_run(name) for name in "abc"))

        runs = [
            *await claim(adapter, limit=1, request_id="1"),
            *await claim(second, limit=1, request_id="2"),
            *await claim(adapter, limit=1, request_id="3"),
        ]

        assert [run.id for run in runs] == ["a", "b", "c"]
        assert runs[0].fence < runs[1].fence < runs[2].fence

    async def test_one_finds_lost_what_the_other_left(
        self, adapter: Adapter, second: Adapter
    ) -> None:
        await put(adapter, a_job())
        await beat(adapter, "one")
        await insert(adapter, a_run())
        (run,) = await claim(adapter, instance="one")
        await adapter.leave("one", now=NOON)

        assert await take_lost_ids(second, now=NOON) == ["run"]
        assert await settle(second, an_end(run)) == STORED
        assert await settle(adapter, an_end(run)) == STORED

    async def test_what_was_stored_is_there_after_one_has_closed(
        self, adapter: Adapter, second: Adapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)

        await adapter.close()

        assert await read_run(second) == run
