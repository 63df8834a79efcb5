"""A hash that was damaged at random costs nobody else anything, and ends no loop."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from nvent_sched import Interval, RunContext, Scheduler
from nvent_sched.adapters.redis import RedisAdapter
from nvent_sched.errors import UnknownJobError
from nvent_sched.testing import ManualClock
from nvent_sched.testing.conformance.builders import an_instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Server

Client = Any  # the driver's types are not whole
SECOND: Final = timedelta(seconds=1)
START: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
VALUES: Final = (
    *(
        "",
        "x",
        "-1",
        "0",
        "5",
        "1e400",
        "nan",
        "{",
        "[]",
        "{}",
        "null",
        "\x1f",
        "\x1f" * 12,
    ),
    *("claimed", "ready", "waiting", "finished", "active", "99999999999999999999", "é"),
    *("1\x1factive\x1f0\x1f\x1fwork\x1f1\x1fx\x1f\x1f\x1f\x1f\x1f",),
)


def members(client: Client, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Name all that is stored of the job that may be damaged: kind, key, member."""
    reads: dict[str, Callable[[str], Any]] = {
        "hash": client.hkeys,
        "zset": lambda key: client.zrange(key, 0, -1),
        "set": client.smembers,
    }
    for key in sorted(client.scan_iter(f"{{{prefix}}}*")):
        kind = client.type(key)
        is_bad = "bad" in key or "gone" in key
        for member in sorted(reads[kind](key)) if kind in reads else ():
            if is_bad or member.startswith(("bad", "gone")):
                yield kind, key, member


def damage(client: Client, prefix: str, *, chance: random.Random) -> str:
    """Change or delete one of them; say which."""
    kind, key, member = chance.choice(list(members(client, prefix)))
    value = chance.choice(VALUES)
    match kind, chance.randrange(3):
        case "hash", 0:
            client.hdel(key, member)
        case "hash", _:
            client.hset(key, member, value)
        case "zset", 0:
            client.zrem(key, member)
        case "zset", _:
            client.zadd(key, {member: chance.choice([-1, 0, 5.5, 2**62, 1e300])})
        case _:
            client.srem(key, member)
    return f"{kind} {key} {member} {value!r}"


@settings(max_examples=max(10, settings().max_examples // 4))
@given(seed=st.integers(0, 2**32))
async def test_a_damaged_record_costs_no_other_job_anything(
    servers: Callable[[str], Server], seed: int
) -> None:
    server, clock = servers("valkey"), ManualClock(START)
    adapter = RedisAdapter(server.url, has_own_clock=False)
    chance, began = random.Random(seed), list[str]()  # noqa: S311  no secret

    async def work(run: RunContext) -> None:
        began.append(run.job_id)
        if run.job_id == "bad":
            await clock.sleep(1.5 * SECOND)

    async with Scheduler(
        adapter,
        clock=clock,
        heartbeat=SECOND,
        dead_after=3 * SECOND,
        lease=5 * SECOND,
    ) as scheduler:
        scheduler.handler("work")(work)
        for name in ("bad", "good"):
            await scheduler.schedule(
                "work", Interval(seconds=1), id=name, overlap="buffer_one"
            )
        await adapter.renew(an_instance("gone"), [], lease_us=1, now=clock.now())
        await clock.advance(2.2 * SECOND)
        before = began.count("good")
        with server.client() as client:
            for _ in range(chance.randint(1, 3)):
                print(damage(client, adapter._location.prefix, chance=chance))  # noqa: T201

        await clock.advance(2 * SECOND)
        await read_all(scheduler)
        await clock.advance(8 * SECOND)
        await read_all(scheduler)

    assert began.count("good") - before == 10


async def read_all(scheduler: Scheduler) -> None:
    """Ask for all there is."""
    await scheduler.jobs()
    await scheduler.runs(limit=1_000)
    await scheduler.stats()
    with suppress(UnknownJobError):
        await scheduler.stats("bad")
    await scheduler.instances()
    await scheduler.health()
    await scheduler.snapshot()
