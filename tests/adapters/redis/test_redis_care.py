"""What of a server's settings is dangerous is said: when it is opened, and when asked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import anyio
import pytest
import redis

from nvent_sched import OneTime, Scheduler
from nvent_sched._model.instants import SECOND_US
from nvent_sched.adapters.redis import RedisAdapter
from nvent_sched.adapters.redis.care import (
    dangers_of,
    settings_of,
    skew_dangers,
    too_old,
)
from nvent_sched.adapters.redis.scripts import names, source
from nvent_sched.errors import StoreError
from nvent_sched.testing import ManualClock
from nvent_sched.testing.conformance.builders import NOON, a_job
from nvent_sched.testing.conformance.steps import put
from tests.adapters.redis.access import allow, documented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Server
    from tests.lines import Line

SOON: Final = timedelta(milliseconds=200)
SENT: Final = {
    *("client|setname", "eval", "evalsha", "info", "ping"),
    *("script|load", "subscribe"),
}
"""What the adapter and the driver send besides what is in the scripts."""
WORDS_OF_COMMANDS: Final = {"count", "limit", "maxlen", "withscores"}

FINE = {
    "redis_version": "7.4.1",
    "role": "master",
    "maxmemory": 0,
    "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
}


def dangers(**changes: object) -> list[str]:
    info = FINE | changes
    return list(dangers_of(info, settings_of(info, {})))


def test_a_server_that_is_set_up_well_has_no_dangers() -> None:
    assert dangers() == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"maxmemory": 1, "maxmemory_policy": "allkeys-lru"}, "noeviction"),
        ({"aof_enabled": 0}, "appendonly"),
        ({"role": "slave"}, "replica"),
        ({"connected_slaves": 1}, "failover"),
        ({"aof_last_write_status": "err"}, "disk"),
    ],
)
def test_what_endangers_the_store_is_named(
    changes: dict[str, object], word: str
) -> None:
    (danger,) = dangers(**changes)

    assert word in danger


@pytest.mark.parametrize(
    ("appendfsync", "is_dangerous"),
    [("always", False), ("everysec", False), ("no", True)],
)
def test_a_file_that_is_written_whenever_the_system_likes_is_a_danger(
    appendfsync: str, *, is_dangerous: bool
) -> None:
    settings = settings_of(FINE, {"appendfsync": appendfsync})

    named = [danger for danger in dangers_of(FINE, settings) if "appendfsync" in danger]

    assert bool(named) == is_dangerous


def test_it_does_not_matter_when_a_file_that_is_not_kept_is_written() -> None:
    info = FINE | {"aof_enabled": 0}

    (danger,) = dangers_of(info, settings_of(info, {"appendfsync": "no"}))

    assert "appendonly" in danger


def test_a_policy_of_eviction_without_a_limit_is_no_danger() -> None:
    assert dangers(maxmemory_policy="allkeys-lru") == []


@pytest.mark.parametrize(
    ("info", "is_too_old"),
    [
        ({"redis_version": "6.0.16"}, True),
        ({"redis_version": "6.2.0"}, False),
        ({"redis_version": "8.2.1"}, False),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.5"}, False),
        ({"redis_version": "7.2.4", "valkey_version": "9.0.0"}, False),
    ],
)
def test_a_server_that_is_too_old_is_known(
    info: dict[str, str], *, is_too_old: bool
) -> None:
    assert (too_old(info) is not None) == is_too_old


async def test_a_server_that_is_too_old_is_refused_at_the_start(
    server: Server, line: Line, url: str
) -> None:
    # The servers at hand are newer, so the line tells the oldest of versions.
    line.alter = lambda told: re.sub(rb"(?<=_version:)\d", b"1", told)
    adapter = RedisAdapter(url.replace(f":{server.port}/", f":{line.port}/"))

    with pytest.raises(StoreError, match="is too old"):
        await adapter.open(now=NOON)


def test_clocks_may_differ_by_as_much_as_an_answer_takes() -> None:
    assert not list(skew_dangers(here=NOON, there=NOON + SECOND_US))
    (danger,) = skew_dangers(here=NOON, there=NOON - 300 * SECOND_US)
    assert "+300 s" in danger


async def test_dangers_are_logged_at_the_start_and_told_when_asked(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = RedisAdapter(url)

    await adapter.open(now=NOON)

    summary = await adapter.summary(now=NOON, is_deep=True)
    await adapter.close()
    assert any("appendonly" in danger for danger in summary.dangers)
    assert any("clock" in danger for danger in summary.dangers)
    told = {f"danger: {danger} store={adapter.url}" for danger in summary.dangers}
    assert told == set(caplog.messages)
    assert summary.settings["server"].split()[0] in {"redis", "valkey"}


async def test_a_clock_that_was_set_after_the_start_is_told_when_asked(
    url: str, server: Server
) -> None:
    with server.client() as client:
        there, _ = client.time()
    clock = ManualClock(datetime.fromtimestamp(there, UTC))
    async with Scheduler(url, clock=clock) as scheduler:
        before = await scheduler.check()

        clock.jump(timedelta(minutes=5))

        after = await scheduler.check()
    assert not any("clock" in danger for danger in before.dangers)
    assert any("clock" in danger for danger in after.dangers)


class TestAccess:
    """A user who may do no more than is documented can do all that is needed."""

    @pytest.fixture
    def limited(self, server: Server) -> Iterator[str]:
        """Make a user who may only use the keys of a prefix; say the store's URL."""
        with server.client() as client:
            allow(client)
            yield f"redis://ada:secret@localhost:{server.port}/0?prefix=app"
            client.execute_command("ACL", "DELUSER", "ada")
            client.flushdb()

    async def test_what_is_documented_suffices(self, limited: str) -> None:
        adapter = RedisAdapter(limited)
        await adapter.open(now=NOON)
        adapter.on_hint(lambda: None)

        await put(adapter, a_job())

        summary = await adapter.summary(now=NOON, is_deep=True)
        await adapter.drop_jobs(["job"], now=NOON)
        await adapter.close()
        assert sum(summary.jobs.values()) == 1

    async def test_a_scheduler_needs_no_more_than_its_adapter(
        self, limited: str, server: Server
    ) -> None:
        scheduler = Scheduler(limited)
        ran = anyio.Event()

        @scheduler.job(OneTime(in_=SOON), id="once")
        async def once() -> None:
            async with scheduler.lock("once"):
                await scheduler.sleep("nap", SOON)
            ran.set()

        with server.client() as client:
            client.acl_log_reset()
            async with scheduler:
                client.script_flush()
                await ran.wait()
                await scheduler.stats()
                await scheduler.runs()
                await scheduler.unschedule("once")
            denied = {entry["object"] for entry in client.acl_log()}

        # What the driver and `check` may be refused, they go without.
        assert denied <= {"client|setinfo", "client", "config|get", "config"}

    def test_no_more_is_documented_than_is_sent(self) -> None:
        in_scripts = {
            word.lower()
            for name in names()
            for word in re.findall(r"'([A-Z]{3,})'", source(name).text)
        }

        granted = [grant.removeprefix("+") for grant in documented()]

        assert sorted(granted) == sorted(in_scripts - WORDS_OF_COMMANDS | SENT)

    @pytest.mark.parametrize(
        "command",
        ["FLUSHALL", "FLUSHDB", "SWAPDB 0 1", "KEYS *", "SCRIPT FLUSH"],
    )
    def test_what_harms_other_stores_is_refused(
        self, limited: str, command: str
    ) -> None:
        url = limited.partition("?")[0]
        with (
            redis.Redis.from_url(url) as client,
            pytest.raises(redis.exceptions.NoPermissionError),
        ):
            client.execute_command(*command.split())

    async def test_another_prefix_is_refused(self, limited: str) -> None:
        adapter = RedisAdapter(limited.replace("prefix=app", "prefix=other"))

        with pytest.raises(StoreError, match="grant"):
            await adapter.open(now=NOON)


async def test_a_wrong_password_is_told_and_not_shown(
    new_server: Callable[..., Server],
) -> None:
    server = new_server("valkey", "--requirepass", "hunter2")
    adapter = RedisAdapter(f"redis://:wrong@localhost:{server.port}/0")

    with pytest.raises(StoreError, match="password") as refused:
        await adapter.open(now=NOON)

    assert "wrong@" not in str(refused.value)
    server.kill()
