"""No key outlives what it was for."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.runs import RunState
from nvent_sched.adapters.redis.keys import Keys
from nvent_sched.testing.conformance.builders import (
    a_job,
    a_plan,
    a_release,
    a_run,
    an_ask,
    an_end,
    an_event,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import beat, claim, insert, put

if TYPE_CHECKING:
    from nvent_sched.adapters.redis import RedisAdapter
    from tests.conftest import Server

PERMANENT = {"events", "fence", "handlers", "schema", "statuses"}
ROUNDS = 60


async def contend(adapter: RedisAdapter, chance: random.Random, *, turn: int) -> None:
    """Let somebody want a lock, and perhaps give it back."""
    ask = an_ask(f"t{turn}", name=chance.choice("xyz"), place_us=SECOND_US)
    await adapter.acquire_locks([ask], now=at(turn))
    await adapter.renew_locks([ask], now=at(turn))
    if chance.random() < 0.7:
        await adapter.release_locks([ask], now=at(turn))


async def live(adapter: RedisAdapter, chance: random.Random) -> None:
    """Let a few jobs live through whatever may happen to them."""
    names = [f"job {number}" for number in range(4)]
    for turn in range(ROUNDS):
        now, name = at(turn), chance.choice(names)
        facts = await adapter.read_facts([name])
        if not facts:
            await put(adapter, a_job(name, look_at=now))
            continue
        job = facts[0].job
        runs = [
            a_run(f"{name} {turn} {state}", job_id=name, state=state, keep_until=now)
            for state in chance.choices(list(RunState), k=3)
        ]
        going = [run.id for run in facts[0].live]
        plan = a_plan(
            the_next(job, look_at=now, looks_on_finish=chance.random() < 0.5),
            *{run.id: run for run in runs}.values(),
            promote=tuple(going[:1]),
            cancel=dict.fromkeys(going[1:2], "enough"),
        )
        await adapter.commit_plans([plan], now=now)
        await beat(adapter, chance.choice("ab"), now=now)
        claimed = await claim(adapter, request_id=str(turn), now=now, limit=3)
        ends = [
            an_end(run) if chance.random() < 0.5 else a_release(run)
            for run in claimed[:2]
        ]
        await adapter.settle(ends, now=now)
        await adapter.publish([an_event()])
        await contend(adapter, chance, turn=turn)
        if chance.random() < 0.2:
            await adapter.drop_jobs([chance.choice(names)], now=now)
    lost = await adapter.take_lost(now=at(99_999), dead_after_us=1, limit=9_999)
    await adapter.settle([an_end(run) for run in lost.runs], now=at(99_999))
    await adapter.drop_jobs(names, now=at(99_999))
    await adapter.take_lost(now=at(99_999), dead_after_us=1, limit=9_999)
    await adapter.prune(job_ids=names, runs_max=0, limit=9_999, now=at(99_999))
    last = an_ask("last")
    await adapter.acquire_locks([last], now=at(9_999_999))
    await adapter.release_locks([last], now=at(9_999_999))
    await adapter.summary(now=at(99_999), is_deep=False)


async def test_after_a_long_life_nothing_is_left_but_what_is_bounded(
    adapter: RedisAdapter, server: Server
) -> None:
    keys = Keys(adapter._location.prefix)

    await live(adapter, random.Random(7))  # noqa: S311  not a secret

    with server.client() as client:
        found = list(client.scan_iter(f"*{{{adapter._location.prefix}}}*"))
        for_ever = {key for key in found if client.ttl(key) == -1}
        assert client.scard(keys["handlers"]) == 0
    assert found
    assert for_ever - {keys[name] for name in PERMANENT} == set()


async def test_a_record_that_was_damaged_is_forgotten_in_its_time_and_keeps_no_other(
    adapter: RedisAdapter, server: Server
) -> None:
    keys = Keys(adapter._location.prefix)
    await put(adapter, a_job())
    ended = partial(a_run, state=RunState.FINISHED)
    old = [ended(f"old {number}", keep_until=at(1)) for number in range(3)]
    await insert(adapter, *old, ended("new", scheduled=at(2), keep_until=at(99)))

    with server.client() as client:
        client.hset(keys["runs"], "old 0", "x")
        client.hdel(keys["runs"], "old 1")
        for _ in range(3):
            await adapter.prune(job_ids=["job"], runs_max=1, limit=1, now=at(9))

        assert client.hkeys(keys["runs"]) == ["new"]
        assert client.zrange(keys["run_ids"], 0, -1) == ["new"]
        assert client.zcard(keys["kept"]) == 1
        await adapter.prune(job_ids=["job"], runs_max=0, limit=9, now=at(9))
        assert client.exists(keys["job_runs"]) == 0


async def test_a_key_that_expires_holds_nothing_but_answers_to_repeat(
    adapter: RedisAdapter, server: Server
) -> None:
    keys = Keys(adapter._location.prefix)

    await live(adapter, random.Random(11))  # noqa: S311  not a secret

    with server.client() as client:
        found = list(client.scan_iter(f"*{{{adapter._location.prefix}}}*"))
        passing = {key for key in found if client.ttl(key) != -1}
    assert passing
    beginnings = (keys["told*"], keys["asked*"])
    assert [key for key in passing if not key.startswith(beginnings)] == []
