"""Instances tell one another that something changed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from anyio.to_thread import run_sync

from nvent_sched._model.runs import RunState
from nvent_sched.adapters.redis import RedisAdapter, hints
from nvent_sched.adapters.redis.keys import Keys
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_plan,
    a_run,
    the_next,
)
from nvent_sched.testing.conformance.steps import beat, commit, put

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import Server
    from tests.lines import Line


class Heard:
    """Counts hints, and can be waited for."""

    def __init__(self) -> None:
        self._came = threading.Semaphore(0)

    def __call__(self) -> None:
        self._came.release()

    async def one(self) -> bool:
        """Wait for one, for so long that it must have come."""
        return await run_sync(self._came.acquire, True, 10)  # noqa: FBT003

    def is_any(self) -> bool:
        return self._came.acquire(blocking=False)


@pytest.fixture
async def second(adapter: RedisAdapter) -> AsyncIterator[RedisAdapter]:
    opened = RedisAdapter(adapter._location, has_own_clock=False)
    await opened.open(now=NOON)
    yield opened
    await opened.close()


def wait_for_listener(adapter: RedisAdapter, server: Server) -> None:
    """Wait until the server knows of somebody who listens."""
    channel = Keys(adapter._location.prefix)["hints"]
    with server.client() as client:
        wait_until(lambda: client.pubsub_numsub(channel) == [(channel, 1)])


def wait_until(is_so: Callable[[], bool]) -> None:
    patience = threading.Event()
    while not is_so():
        patience.wait(0.005)


@pytest.fixture
async def heard(second: RedisAdapter, server: Server) -> Heard:
    """Listen, and wait until it is listened."""
    heard = Heard()
    second.on_hint(heard)
    await run_sync(wait_for_listener, second, server)
    return heard


async def test_a_job_stored_elsewhere_gives_a_hint(
    adapter: RedisAdapter, heard: Heard
) -> None:
    await put(adapter, a_job(look_at=NOON))

    assert await heard.one()


async def test_a_run_that_others_could_take_gives_a_hint(
    adapter: RedisAdapter, heard: Heard
) -> None:
    await put(adapter, a_job())
    assert await heard.one()

    await commit(adapter, a_plan(the_next(a_job()), a_run()))

    assert await heard.one()


async def test_what_concerns_no_other_and_what_we_did_ourselves_give_none(
    adapter: RedisAdapter, second: RedisAdapter, heard: Heard
) -> None:
    await put(second, a_job())
    claimed = a_run(state=RunState.CLAIMED)
    await commit(adapter, a_plan(the_next(a_job()), claimed))
    await beat(adapter)
    assert not heard.is_any()

    await put(adapter, a_job("last"))

    assert await heard.one()
    assert not heard.is_any()


async def test_a_connection_that_was_cut_is_made_anew_and_what_was_missed_is_told(
    adapter: RedisAdapter, heard: Heard, server: Server
) -> None:
    with server.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    assert await heard.one()

    await put(adapter, a_job())

    assert await heard.one()


async def test_a_connection_that_fell_silent_is_made_anew(
    adapter: RedisAdapter,
    far_adapter: RedisAdapter,
    line: Line,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hints, "LOOK_UP_S", 0.05)
    heard = Heard()
    far_adapter.on_hint(heard)
    await run_sync(wait_for_listener, far_adapter, server)
    calls = line.calls
    line.fall_silent()
    await run_sync(wait_until, lambda: line.calls > calls)
    line.speak()
    assert await heard.one()

    await put(adapter, a_job())

    assert await heard.one()


async def test_a_connection_over_which_nothing_was_to_be_said_is_kept(
    far_adapter: RedisAdapter,
    line: Line,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def pings() -> int:
        with server.client() as client:
            asked = client.info("commandstats").get("cmdstat_ping", {"calls": 0})
            calls: int = asked["calls"]
            return calls

    monkeypatch.setattr(hints, "LOOK_UP_S", 0.1)
    heard = Heard()
    far_adapter.on_hint(heard)
    await run_sync(wait_for_listener, far_adapter, server)
    calls, before = line.calls, pings()

    await run_sync(wait_until, lambda: pings() >= before + 3)

    assert line.calls == calls
    assert not heard.is_any()
