"""URLs of Redis stores: what is read from them, what is refused, and what is never shown."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched import Scheduler
from nvent_sched.adapters import open_adapter
from nvent_sched.adapters.redis import RedisAdapter
from nvent_sched.adapters.redis.connecting import connect
from nvent_sched.adapters.redis.location import Location, location_from
from nvent_sched.errors import StoreError, StoreUnavailableError, UsageError
from nvent_sched.testing.conformance.builders import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "hunter2"  # noqa: S105  nobody's


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://", Location()),
        ("redis://:6390", Location(hosts=(("localhost", 6390),))),
        ("redis://db.local/3", Location(hosts=(("db.local", 6379),), db=3)),
        ("redis://[::1]:7/0", Location(hosts=(("::1", 7),))),
        (
            "rediss://ada:p%40ss@h:1/2?timeout=1.5",
            Location(
                scheme="rediss",
                hosts=(("h", 1),),
                db=2,
                username="ada",
                password="p@ss",  # noqa: S106
                timeout=timedelta(seconds=1.5),
            ),
        ),
        ("redis://:p@h", Location(hosts=(("h", 6379),), password="p")),  # noqa: S106
        ("unix:///run/r.sock?db=4", Location(scheme="unix", path="/run/r.sock", db=4)),
        (
            "redis+sentinel://a,b:7/primary/1?prefix=app",
            Location(
                scheme="redis+sentinel",
                hosts=(("a", 26379), ("b", 7)),
                service="primary",
                db=1,
                prefix="app",
            ),
        ),
        (
            "redis+sentinel://a/m?sentinel_username=ada&sentinel_password=p%40s+s%26",
            Location(
                scheme="redis+sentinel",
                hosts=(("a", 26379),),
                service="m",
                sentinel_username="ada",
                sentinel_password="p@s+s&",  # noqa: S106
            ),
        ),
        (
            "redis+cluster://a:1,b:2",
            Location(scheme="redis+cluster", hosts=(("a", 1), ("b", 2))),
        ),
    ],
)
def test_a_url_is_read(url: str, expected: Location) -> None:
    location = location_from(url)

    if expected.scheme == "unix":
        expected = Location(
            scheme="unix", path=expected.path, db=expected.db, hosts=location.hosts
        )
    assert location == expected


@pytest.mark.parametrize(
    "url",
    [
        "redis://ada:hunter2@h/0",
        "rediss://:hunter2@h:1/2?prefix=app",
        "redis+sentinel://ada:hunter2@a,b/primary/1",
        "redis+sentinel://a/primary?sentinel_username=ada&sentinel_password=hunter2",
        "redis+cluster://ada:hunter2@a:1,b:2",
    ],
)
def test_a_secret_is_not_shown(url: str) -> None:
    adapter = open_adapter(url)
    scheduler = Scheduler(url)

    shown = [
        repr(adapter),
        adapter.url,
        repr(scheduler),
        scheduler.url,
        repr(location_from(url)),
    ]

    assert [text for text in shown if SECRET in text or "ada" in text] == []
    assert location_from(adapter.url).hosts == location_from(url).hosts


@pytest.mark.parametrize(
    "url",
    [
        "redis://ada:hunter2@h/zero",
        "redis://ada:hunter2@h/0/1",
        "redis://ada:hunter2@a,b/0",
        "redis://ada:hunter2@h:port/0",
        "redis://ada:hunter2#@h/0",
        "redis://ada:hunter2@h/0?prefix={}",
        "redis://ada:hunter2@h/0?colour=red",
        "redis://ada:hunter2@h/0?timeout=-1",
        "redis://ada:hunter2@h/0?timeout=soon",
        "redis://ada:hunter2@h/0?timeout=1e10",
        "redis+cluster://ada:hunter2@h/1",
        "redis+sentinel://ada:hunter2@h",
        "redis+sentinel://h?sentinel_password=hunter2",
        "redis+sentinel://h/primary?sentinel_password=12&hunter2",
        "redis+sentinel://h/primary?sentinel_password=12#hunter2",
        "redis+sentinel://h/primary/one?sentinel_password=hunter2",
        "redis+sentinel://h/primary?sentinel_password=hunter2&timeout=soon",
        "redis://h/0?sentinel_password=hunter2",
        "redis+cluster://h?sentinel_username=hunter2",
        "redis://ada:hunter2@[h/0",
        "redis://ada:12?hunter2@h/0",
        "redis://ada:12?hunter2=1@h/0",
        "redis://ada:12?hunter2",
        "redis://ada:12/3?hunter2=4",
        "redis://ada:12[hunter2@h/0",
        "unix://ada:hunter2@h",
    ],
)
@pytest.mark.parametrize("read", [location_from, open_adapter])
def test_a_url_that_cannot_be_right_is_refused_without_its_secret(
    url: str, read: Callable[[str], object]
) -> None:
    with pytest.raises(UsageError) as refused:
        read(url)

    assert SECRET not in str(refused.value)


async def test_an_error_of_the_connection_does_not_show_the_secret() -> None:
    adapter = RedisAdapter(f"redis://ada:{SECRET}@127.0.0.1:1/0?timeout=0.1")

    with pytest.raises(StoreError) as failed:
        await adapter.open(now=NOON)

    assert SECRET not in f"{failed.value} {failed.value.__cause__}"
    assert "127.0.0.1:1" in str(failed.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:1/0",
        "redis+cluster://127.0.0.1:1,127.0.0.1:2",
        "redis+sentinel://127.0.0.1:1,127.0.0.1:2/primary/0",
    ],
)
async def test_where_nobody_answers_it_is_worth_trying_again(url: str) -> None:
    adapter = RedisAdapter(f"{url}?timeout=0.1")

    with pytest.raises(StoreUnavailableError) as failed:
        await adapter.open(now=NOON)

    assert failed.value.may_retry
    assert "<redis." not in str(failed.value)


async def test_a_port_that_speaks_no_tls_is_asked_whether_it_does(url: str) -> None:
    adapter = RedisAdapter(f"{url.replace('redis:', 'rediss:')}&timeout=0.3")

    with pytest.raises(StoreUnavailableError, match="that this port speaks TLS"):
        await adapter.open(now=NOON)


def test_a_sentinel_that_is_gone_is_asked_once_before_the_next() -> None:
    location = location_from("redis+sentinel://127.0.0.1:1,127.0.0.1:2/primary/0")

    client: Any = connect(location, slot_key="any")

    sentinels = client.connection_pool.sentinel_manager.sentinels
    assert [each.get_retry().get_retries() for each in sentinels] == [0, 0]


def test_without_the_extra_the_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from nvent_sched import Scheduler\n"
        "from nvent_sched.errors import UsageError\n"
        "try: Scheduler('redis://localhost')\n"
        "except UsageError as error: print(error)\n"
    )

    ran = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert "pip install nvent_sched[redis]" in ran.stdout
