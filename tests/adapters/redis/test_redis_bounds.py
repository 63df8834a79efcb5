"""A call does a bounded piece of work, and what is damaged stands in no other's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.claims import STORED, Pool
from nvent_sched._model.queries import RunQuery
from nvent_sched.adapters.redis import adapter as adapters
from nvent_sched.adapters.redis.scripts import source
from nvent_sched.adapters.redis.server import PART_MAX
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    LEASE_US,
    NOON,
    a_job,
    a_plan,
    a_run,
    a_write,
    an_end,
    an_event,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    claim,
    commit,
    insert,
    put,
    read_job,
    settle,
    take_due_ids,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched.adapters.redis import RedisAdapter
    from nvent_sched.adapters.redis.keys import Keys
    from tests.adapters.redis.test_redis_damage import Client
    from tests.conftest import Server

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("aAbB-_.é\x1f\x00")
TIMES = st.integers(-(10**17), 10**17) | st.integers(-200, 200)


async def test_one_call_claims_no_more_than_one_script_is_given(
    adapter: RedisAdapter,
) -> None:
    await put(adapter, a_job())
    runs = [a_run(f"run{number:04}") for number in range(PART_MAX + 9)]
    await commit(adapter, a_plan(the_next(a_job()), *runs))

    claims = await adapter.begin(
        request_id="request",
        instance="one",
        pools=[Pool(handlers=(HANDLER,), limit=10_000)],
        until=NOON,
        lease_us=LEASE_US,
        now=NOON,
    )

    assert [run.id for run in claims.runs] == [run.id for run in runs[:PART_MAX]]
    assert claims.next_ready_at == NOON


async def test_the_ring_is_bounded_however_few_events_were_told_at_once_before(
    adapter: RedisAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters, "EVENTS_KEPT_MAX", 100)
    for number in range(100):
        await adapter.publish([an_event(f"{number}")])

    await adapter.publish([an_event(f"later {number}") for number in range(100)])

    kept = await adapter.read_events(after=0, limit=1_000)
    assert [event.detail for event in kept] == [f"later {n}" for n in range(100)]


async def test_who_begins_to_listen_hears_nothing_old_although_the_last_is_unknown(
    adapter: RedisAdapter, client: Client, keys: Keys
) -> None:
    await adapter.publish([an_event("old"), an_event("known")])
    (start,) = await adapter.read_events(after=None, limit=1)
    client.xadd(
        keys["events"],
        {"e": f'[{NOON},"of a newer release","one","","",""]'},
        id=f"{start.seq + 1}-3",
    )

    assert await adapter.read_events(after=None, limit=1) == (start,)


async def test_a_job_that_does_not_say_how_it_stands_is_handed_out_once(
    adapter: RedisAdapter, client: Client, keys: Keys
) -> None:
    await put(adapter, a_job("bad", look_at=NOON), a_job("good", look_at=NOON))
    client.hset(keys["jobs"], "bad", "nothing that can be read")

    first = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)
    again = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)

    assert set(first.quarantined) == {"bad"}
    assert not again.quarantined
    assert [due.job.id for due in again.jobs] == ["good"]


async def test_what_is_due_and_no_job_hides_nobody(
    adapter: RedisAdapter, client: Client, keys: Keys
) -> None:
    await put(adapter, a_job("job", look_at=NOON))
    client.zadd(keys["due*"] + HANDLER, {"gone": NOON - 2, "lost": NOON - 1})

    assert await take_due_ids(adapter, limit=2) == []
    assert await take_due_ids(adapter, limit=2) == ["job"]


@pytest.mark.parametrize("name", ["statuses", "total"])
async def test_a_counter_that_was_damaged_begins_anew_and_fails_no_call(
    adapter: RedisAdapter, client: Client, keys: Keys, name: str
) -> None:
    await put(adapter, a_job())
    await insert(adapter, a_run("one"), a_run("two"))
    one, two = await claim(adapter)
    await settle(adapter, an_end(one))
    for field in client.hkeys(keys[name]):
        client.hset(keys[name], field, "x")

    assert await settle(adapter, an_end(two)) == STORED
    (verdict,) = await adapter.put_jobs([a_write(a_job("other"))], now=NOON)

    assert verdict == STORED
    assert (await read_job(adapter, "other")).id == "other"
    (stats,) = await adapter.read_stats(None)
    assert stats.runs >= 1


async def test_lost_runs_that_are_damaged_stand_before_no_other(
    adapter: RedisAdapter, client: Client, keys: Keys
) -> None:
    await put(adapter, a_job())
    await insert(adapter, *(a_run(name) for name in "abc"))
    await claim(adapter)
    for name in "ab":
        client.hset(keys["runs"], name, "nothing that can be read")

    first = await adapter.take_lost(now=at(900), dead_after_us=LEASE_US, limit=2)
    then = await adapter.take_lost(now=at(900), dead_after_us=LEASE_US, limit=2)

    assert [run.id for run in (*first.runs, *then.runs)] == ["c"]


@pytest.mark.parametrize("job_id", [None, "job"])
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_runs_that_are_damaged_hide_none_that_comes_after_them(
    adapter: RedisAdapter, client: Client, keys: Keys, job_id: str | None, limit: int
) -> None:
    await put(adapter, a_job())
    await insert(adapter, *(a_run(name) for name in "abcdef"))
    for name in "def":
        client.hset(keys["runs"], name, "nothing that can be read")

    page = await adapter.read_runs(RunQuery(job_id=job_id, limit=limit))

    assert [run.id for run in page] == ["c", "b", "a"][:limit]


@given(st.lists(TEXTS, max_size=6))
def test_ids_are_in_the_order_of_their_bytes_whatever_language_the_server_speaks(
    servers: Callable[[str], Server], texts: list[str]
) -> None:
    asked = "return is_before(ARGV[1], ARGV[2]) and 1 or 0"

    for one in texts:
        for other in texts:
            is_before = evaluated(servers("valkey"), asked, one, other)
            assert bool(is_before) is (one.encode() < other.encode())


@given(TIMES, TIMES)
def test_times_as_text_are_in_order_also_before_1970(
    servers: Callable[[str], Server], one: int, other: int
) -> None:
    ordered = [
        evaluated(servers("valkey"), "return ordered(ARGV[1])", str(time))
        for time in (one, other)
    ]

    assert len(ordered[0]) == len(ordered[1])
    assert (ordered[0] < ordered[1]) is (one < other)
    back = "return time_in('job\31' .. ordered(ARGV[1]) .. '\31run', 'job')"
    assert evaluated(servers("valkey"), back, str(one)) == str(one)


def evaluated(server: Server, asked: str, *args: str) -> Any:  # noqa: ANN401  Lua's
    """Have the parts that all scripts are made of say something."""
    parts = "\n".join(source(name).text for name in ("_args", "_run_texts"))
    with server.client() as client:
        return client.eval(f"{parts}\n{asked}", 0, *args)
