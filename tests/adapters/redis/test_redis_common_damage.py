"""What all jobs share on a server (counters, events, locks), damaged at random."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from nvent_sched import Interval, RunContext, Scheduler
from nvent_sched._model.instants import Instant
from nvent_sched._model.locks import LockBusy, LockGranted
from nvent_sched._model.queries import RunQuery
from nvent_sched._model.runs import RunState
from nvent_sched.adapters.redis import RedisAdapter
from nvent_sched.adapters.redis.keys import Keys
from nvent_sched.errors import LockLostError, StoreCorruptError
from nvent_sched.testing import ManualClock
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_run,
    an_ask,
    an_event,
    at,
)
from nvent_sched.testing.conformance.steps import acquire, claim, insert, put
from tests.adapters.redis.test_redis_damage import START, VALUES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.adapters.redis.test_redis_damage import Client
    from tests.conftest import Server

SECOND: Final = timedelta(seconds=1)
TTL: Final = 3 * SECOND
TTL_S: Final = 30
NUMBERS: Final = (*VALUES, "9007199254740992", "1772452800000000", "\x00")
SCORES: Final = (-1, 0, 5.5, 2**62, 1e300)
FAMILIES: Final = ("locks", "lock_ends", "lock_places", "lock_queue*")


def damage(client: Client, keys: Keys, *, chance: random.Random) -> str:
    """Damage one thing that is no single job's; say which."""
    value = chance.choice(NUMBERS)
    match chance.choice(["fence", "events", *FAMILIES]):
        case "fence":
            return damage_fence(client, keys["fence"], value, chance=chance)
        case "events":
            return damage_events(client, keys["events"], value, chance=chance)
        case name:
            key = keys[name] + ("shared" if name.endswith("*") else "")
            return damage_lock(client, key, value, chance=chance)


def damage_fence(client: Client, key: str, value: str, *, chance: random.Random) -> str:
    if chance.randrange(4) == 0:
        client.delete(key)
    elif chance.randrange(4) == 0:
        client.delete(key)
        client.hset(key, "of another", "kind")
    else:
        client.set(key, value)
    return f"fence {value!r}"


def damage_events(
    client: Client, key: str, value: str, *, chance: random.Random
) -> str:
    # No number of an event of ours; after it the server takes no lower one.
    seq = chance.choice(["18446744073709551615-1", "9007199254740992-1", "*"])
    if chance.randrange(4) == 0:
        client.delete(key)
    else:
        with suppress(redis.ResponseError):  # after such a number none is taken
            client.xadd(key, {"e": value}, id=seq)
    return f"event {seq} {value!r}"


def damage_lock(client: Client, key: str, value: str, *, chance: random.Random) -> str:
    is_hash = key.endswith("locks")
    members = sorted(client.hkeys(key) if is_hash else client.zrange(key, 0, -1))
    member = chance.choice([*members, value])
    if chance.randrange(3) == 0:
        (client.hdel if is_hash else client.zrem)(key, member)
    elif is_hash:
        client.hset(key, member, value)
    else:
        client.zadd(key, {member: chance.choice(SCORES)})
    return f"{key} {member!r} {value!r}"


@settings(max_examples=max(10, settings().max_examples // 4))
@given(seed=st.integers(0, 2**32))
async def test_damage_to_what_all_share_stops_no_job_and_no_lock_for_long(
    servers: Callable[[str], Server], seed: int
) -> None:
    server, clock = servers("valkey"), ManualClock(START)
    adapter = RedisAdapter(server.url, has_own_clock=False)
    chance = random.Random(seed)  # noqa: S311  no secret
    fences, tokens = list[int](), list[int]()

    async def work(run: RunContext) -> None:
        fences.append(run.fencing_token)

    async def locked() -> None:
        with suppress(LockLostError):
            async with scheduler.lock("shared", ttl=TTL) as lock:
                tokens.append(lock.fencing_token)
                await clock.sleep(SECOND)

    scheduler = Scheduler(
        adapter, clock=clock, heartbeat=SECOND, dead_after=3 * SECOND, lease=5 * SECOND
    )
    async with scheduler:
        await scheduler.schedule(work, Interval(seconds=1), id="good")
        await scheduler.schedule(
            locked, Interval(seconds=1), id="locked", overlap="allow_all", max_running=3
        )
        await clock.advance(2.2 * SECOND)
        before = len(fences)
        with server.client() as client:
            for _ in range(chance.randint(1, 3)):
                print(damage(client, Keys(adapter._location.prefix), chance=chance))  # noqa: T201

        await clock.advance(5 * SECOND)
        locked_by_then = len(tokens)
        await scheduler.locks()
        await scheduler.check()
        await clock.advance(5 * SECOND)
        await scheduler.locks()
        ran = len(fences) - before
        async with scheduler.events() as events:
            await scheduler.run_now("good")
            await clock.advance(SECOND)
            async for event in events:
                if (event.kind, event.job_id) == ("run_finished", "good"):
                    break

    assert ran == 10
    assert fences == sorted(set(fences))
    assert tokens == sorted(set(tokens))
    assert len(tokens) > locked_by_then


async def findings(adapter: RedisAdapter) -> str:
    """Say what `check` finds wrong."""
    return "\n".join((await adapter.summary(now=NOON, is_deep=True)).findings)


@pytest.mark.parametrize(
    "value", ["", "x", "-1", "1.5", "nan", "1e400", "99999999999999999999", None]
)
async def test_fencing_tokens_grow_although_the_last_one_was_damaged(
    adapter: RedisAdapter, client: Client, keys: Keys, value: str | None
) -> None:
    await put(adapter, a_job())
    await insert(adapter, *(a_run(name) for name in "abc"))
    before = await claim(adapter)
    client.delete(keys["fence"])
    if value is None:
        client.rpush(keys["fence"], "of another kind")
    else:
        client.set(keys["fence"], value)

    told = await findings(adapter)

    await insert(adapter, *(a_run(name) for name in "de"))
    after = await claim(adapter, request_id="after")
    fences = [run.fence for run in (*before, *after)]
    assert ("the last fencing token is" in told) == (value != "")
    assert len(fences) == 5
    assert fences == sorted(set(fences))
    assert await findings(adapter) == ""


@pytest.mark.parametrize("value", ["", "x", "0", "-1", "9" * 5_000])
async def test_a_schema_number_that_was_damaged_lets_nobody_start_and_is_told(
    adapter: RedisAdapter, client: Client, keys: Keys, url: str, value: str
) -> None:
    client.set(keys["schema"], value)

    with pytest.raises(StoreCorruptError, match="its schema number is"):
        await RedisAdapter(adapter.url).open(now=NOON)

    await put(adapter, a_job())
    assert url
    assert "the schema number is" in await findings(adapter)


async def test_an_event_with_a_number_too_high_hides_none_that_comes_later(
    adapter: RedisAdapter, client: Client, keys: Keys
) -> None:
    await adapter.publish([an_event("before")])
    (start,) = await adapter.read_events(after=None, limit=1)
    client.xadd(keys["events"], {"e": "[]"}, id="18446744073709551615-1")

    seen = await adapter.read_events(after=None, limit=1)
    await adapter.publish([an_event("after"), an_event("later")])

    assert seen == (start,)
    events = await adapter.read_events(after=start.seq, limit=9)
    assert [event.detail for event in events] == ["after", "later"]


async def test_events_that_cannot_be_read_hide_none_that_comes_later(
    adapter: RedisAdapter, client: Client, keys: Keys
) -> None:
    await adapter.publish([an_event("before")])
    (start,) = await adapter.read_events(after=None, limit=1)
    for number in (
        f"{start.seq}-2",
        *(f"{start.seq + more}-1" for more in range(1, 9)),
    ):
        client.xadd(keys["events"], {"e": "{"}, id=number)
    await adapter.publish([an_event("after")])

    events = await adapter.read_events(after=start.seq, limit=3)

    assert [event.detail for event in events] == ["after"]


@pytest.mark.parametrize("value", ["", "x", "nan", "1e300", "9" * 20])
async def test_a_quiet_that_was_damaged_ends(
    adapter: RedisAdapter, client: Client, keys: Keys, value: str
) -> None:
    await put(adapter, a_job())
    await insert(adapter, a_run())
    client.set(keys["quiet"], value)

    assert await claim(adapter) == ()

    assert 0 < client.pttl(keys["quiet"]) <= 10_000
    assert [run.id for run in await claim(adapter, now=at(11))] == ["run"]


def damage_row(client: Client, keys: Keys) -> None:
    client.hset(keys["locks"], "lock", "x\x1f5\x1f\x1f")


def lose_row(client: Client, keys: Keys) -> None:
    client.hdel(keys["locks"], "lock")


def lose_end(client: Client, keys: Keys) -> None:
    client.zrem(keys["lock_ends"], "lock")


def lose_end_and_damage_row(client: Client, keys: Keys) -> None:
    lose_end(client, keys)
    damage_row(client, keys)


@pytest.mark.parametrize(
    "damage", [damage_row, lose_row, lose_end, lose_end_and_damage_row]
)
async def test_a_hold_that_was_damaged_is_kept_until_it_would_have_ended(
    adapter: RedisAdapter,
    client: Client,
    keys: Keys,
    damage: Callable[[Client, Keys], None],
) -> None:
    granted = await acquire(adapter, an_ask("a"))
    damage(client, keys)

    told = await findings(adapter)
    listed = await adapter.read_locks(now=NOON, limit=9)
    at_once = await acquire(adapter, an_ask("b"))
    before_the_end = await acquire(adapter, an_ask("b"), now=at(TTL_S - 1))
    after_the_end = await acquire(adapter, an_ask("b"), now=at(TTL_S + 1))

    assert "lock 'lock': what is stored of its hold is damaged" in told
    assert listed == ()
    assert isinstance(granted, LockGranted)
    assert isinstance(at_once, LockBusy)
    assert at_once.until == at(TTL_S)
    assert isinstance(before_the_end, LockBusy)
    assert isinstance(after_the_end, LockGranted)
    assert after_the_end.fence > granted.fence
    assert await findings(adapter) == ""


async def test_a_hold_whose_end_was_damaged_ends_like_any_other(
    adapter: RedisAdapter, client: Client, keys: Keys
) -> None:
    await acquire(adapter, an_ask("a"))
    client.zadd(keys["lock_ends"], {"lock": 1e300})

    (listed,) = await adapter.read_locks(now=NOON, limit=9)
    busy = await acquire(adapter, an_ask("b"))

    assert isinstance(busy, LockBusy)
    assert busy.until == listed.until == at(TTL_S)


async def test_a_damaged_place_in_a_queue_keeps_nobody_waiting(
    adapter: RedisAdapter, client: Client, keys: Keys
) -> None:
    client.zadd(keys["lock_places"], {"no place": 1, "lock\x1fdead": 1e300})
    client.zadd(keys["lock_queue*"] + "lock", {"dead": -1, "gone": 0})

    busy = await acquire(adapter, an_ask("a"))
    granted = await acquire(adapter, an_ask("a"), now=at(3_601))

    assert isinstance(busy, LockBusy)
    assert isinstance(granted, LockGranted)
    assert client.zrange(keys["lock_places"], 0, -1) == []


@pytest.mark.parametrize("job_id", [None, "job"])
@pytest.mark.parametrize("began", [NOON, Instant(-1_700_000_000_000_123)])
async def test_records_whose_text_is_gone_hide_none_behind_them_and_are_told(
    adapter: RedisAdapter,
    client: Client,
    keys: Keys,
    job_id: str | None,
    began: Instant,
) -> None:
    await put(adapter, a_job())
    moments = [Instant(began + number) for number in range(9)]
    runs = [
        a_run(f"{number}", scheduled=moment, state=RunState.FINISHED)
        for number, moment in enumerate(moments)
    ]
    await insert(adapter, *runs)
    gone = [f"{number}" for number in range(9) if number not in {1, 4}]
    client.hdel(keys["runs"], *gone)

    page = await adapter.read_runs(RunQuery(job_id=job_id, limit=1))
    after = RunQuery(job_id=job_id, limit=1, after=page.next)
    rest = await adapter.read_runs(after)

    assert [run.id for run in (*page.items, *rest.items)] == ["4", "1"]
    assert rest.next is None
    told = await findings(adapter)
    assert [name for name in gone if f"run '{name}' cannot be read" in told] == gone
