"""Several instances share what is due: they do not all plan the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvent_sched._model.claims import Committed
from nvent_sched._port import HANDED_US
from nvent_sched.adapters.redis import RedisAdapter
from nvent_sched.adapters.redis.keys import Keys
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    NOON,
    a_job,
    a_plan,
    a_run,
    the_next,
)
from nvent_sched.testing.conformance.steps import beat, put, take_due_ids

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Server


@pytest.fixture
async def adapter(url: str) -> AsyncIterator[RedisAdapter]:
    """Open an adapter that goes by the server's clock."""
    opened = RedisAdapter(url)
    await opened.open(now=NOON)
    await put(opened, *(a_job(job_id, look_at=NOON) for job_id in "abc"))
    await beat(opened, "one")
    yield opened
    await opened.close()


async def test_what_one_was_handed_is_kept_from_the_others(
    adapter: RedisAdapter,
) -> None:
    await beat(adapter, "two")

    assert await take_due_ids(adapter, limit=2) == ["a", "b"]
    assert await take_due_ids(adapter, limit=2) == ["c"]
    assert await take_due_ids(adapter, limit=2) == []


async def test_what_was_kept_from_the_others_they_are_handed_a_moment_later(
    adapter: RedisAdapter,
) -> None:
    await beat(adapter, "two")
    first = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=3)

    batch = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=3)

    assert batch.jobs == ()
    assert batch.next_look_at == first.now + HANDED_US


async def test_what_was_planned_is_looked_at_when_the_plan_says(
    adapter: RedisAdapter,
) -> None:
    await beat(adapter, "two")
    await take_due_ids(adapter)
    planned = the_next(a_job("a", look_at=NOON), look_at=NOON)
    plan = a_plan(planned, a_run(job_id="a"))

    (verdict,) = await adapter.commit_plans([plan], now=NOON)

    assert isinstance(verdict, Committed)
    assert await take_due_ids(adapter) == ["a"]


async def test_what_only_a_newer_release_can_read_is_kept_from_nobody(
    adapter: RedisAdapter, server: Server
) -> None:
    await beat(adapter, "two")
    keys = Keys(adapter._location.prefix)
    with server.client() as client:
        client.hset(keys["definitions"], "a", '{"v":99}')

        assert await take_due_ids(adapter) == ["b", "c"]

        assert client.zscore(keys["due*"] + HANDLER, "a") == NOON


async def test_one_that_is_alone_is_handed_what_it_did_not_plan_again(
    adapter: RedisAdapter,
) -> None:
    assert await take_due_ids(adapter) == ["a", "b", "c"]
    assert await take_due_ids(adapter) == ["a", "b", "c"]
