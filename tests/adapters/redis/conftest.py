"""What the tests of the Redis adapter share: adapters on a server, and a line that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched.adapters.redis import RedisAdapter
from nvent_sched.adapters.redis.keys import Keys
from nvent_sched.testing.conformance.builders import NOON
from tests.lines import Line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.conftest import Server


@pytest.fixture
def url(server: Server) -> str:
    """The URL of a store nobody has used."""
    return server.url


@pytest.fixture
async def adapter(url: str) -> AsyncIterator[RedisAdapter]:
    """Open an adapter that follows the time it is given."""
    opened = RedisAdapter(url, has_own_clock=False)
    await opened.open(now=NOON)
    yield opened
    await opened.close()


@pytest.fixture
def keys(adapter: RedisAdapter) -> Keys:
    """What is stored where by `adapter`."""
    return Keys(adapter._location.prefix)


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    """A client of the server beside the adapter; the driver's types are not whole."""
    with server.client() as connected:
        yield connected


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    opened = Line(server.port)
    yield opened
    opened.close()


@pytest.fixture
async def far_adapter(
    adapter: RedisAdapter, line: Line, url: str, server: Server
) -> AsyncIterator[RedisAdapter]:
    """Open the store of `adapter` once more, over a line that can fail."""
    assert adapter.url in {url, url.replace("/0?", "/0?")}
    over_line = url.replace(f":{server.port}/", f":{line.port}/")
    opened = RedisAdapter(f"{over_line}&timeout=0.3", has_own_clock=False)
    await opened.open(now=NOON)
    yield opened
    line.speak()
    await opened.close()
