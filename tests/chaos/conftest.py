"""Instances as real processes, what they did, and who waits for it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from anyio.to_thread import run_sync

from nvent_sched import Scheduler
from tests.chaos.troubles import Troubles
from tests.lines import Line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from tests.conftest import Server

SCRIPT = Path(__file__).with_name("instance.py")
BACKENDS = ("asyncio", "trio")


class Process:
    """An instance in a process of its own."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own words
            [sys.executable, "-W", "ignore", SCRIPT, json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def until_ready(self) -> str:
        """Wait until it runs; say its id."""
        assert self._process.stdout is not None
        word, instance_id = self._process.stdout.readline().split()
        assert word == "ready"
        return instance_id

    def until_set(self) -> None:
        """Wait until it waits for the word to start."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "set\n"

    def go(self) -> None:
        """Give the word."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def wait(self) -> int:
        return self._process.wait()

    def close(self) -> None:
        self._process.kill()
        with self._process:
            pass


@dataclass(frozen=True)
class Entry:
    """A line of the journal.

    Attributes:
        due_at: When the run was due.
        at: When this was.
    """

    what: str
    job_id: str
    fence: int
    instance: str
    due_at: int
    at: int


class Journal:
    """What the handlers of all instances did, and what was done to the instances."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.troubles = Troubles()
        path.touch()

    def lines(self, what: str) -> list[Entry]:
        found = (line.split() for line in self.path.read_text().splitlines())
        return [
            Entry(word, job, int(fence), who, int(due_at), int(at))
            for word, job, fence, who, due_at, at in found
            if word == what
        ]

    def count(self, what: str) -> Counter[str]:
        """Say how often each job did it."""
        return Counter(line.job_id for line in self.lines(what))

    def late(self) -> list[Entry]:
        """List what began later than the troubles explain.

        What begins again was going when its instance was lost, and waits since then.
        """
        found: list[Entry] = []
        begun: set[str] = set()
        for line in sorted(self.lines("start"), key=attrgetter("fence")):
            is_again = line.job_id in begun
            waits_from = self.troubles.last_before(line.at) if is_again else line.due_at
            if line.at > self.troubles.latest_of(waits_from):
                found.append(line)
            begun.add(line.job_id)
        return found


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


@pytest.fixture
def url(servers: Callable[[str], Server], anyio_backend_name: str) -> str:
    """The URL of a store nobody has used; each kind of server is met once."""
    has_redis = shutil.which("redis-server") is not None
    is_redis = has_redis and anyio_backend_name == "trio"
    return servers("redis" if is_redis else "valkey").url


@pytest.fixture(params=[("trio", "sqlite"), ("asyncio", "redis")], ids="-".join)
def setting(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Meet each loop and each kind of store that processes share once."""
    chosen: tuple[str, str] = request.param
    return chosen


@pytest.fixture
def shared_url(
    setting: tuple[str, str], tmp_path: Path, servers: Callable[[str], Server]
) -> str:
    """The URL of a new store of that kind."""
    if setting[1] == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.db'}"
    return servers("valkey").url


@pytest.fixture
def line(url: str) -> Iterator[Line]:
    """A line to the server that fails on demand."""
    port = urlsplit(url).port
    assert port is not None
    opened = Line(port)
    yield opened
    opened.close()


@pytest.fixture
def far_url(url: str, line: Line) -> str:
    """The same store at the other end of that line; its time-outs are short."""
    far = url.replace(f":{urlsplit(url).port}", f":{line.port}")
    return f"{far}{'&' if '?' in far else '?'}timeout=0.5"


@pytest.fixture
def start(
    url: str, journal: Journal, anyio_backend_name: str
) -> Iterator[Callable[..., Process]]:
    """Start an instance; every second one is on the other backend."""
    number = BACKENDS.index(anyio_backend_name)
    with ExitStack() as stack:

        def start_one(**told: object) -> Process:
            nonlocal number
            backend = BACKENDS[number % 2]
            number += 1
            usual = {"url": url, "journal": str(journal.path), "backend": backend}
            process = Process(usual | told)
            stack.callback(process.close)
            return process

        yield start_one


@pytest.fixture
async def client(url: str) -> AsyncIterator[Scheduler]:
    """Look on, and run nothing."""
    async with Scheduler(url, runs_handlers=False) as running:
        yield running


@pytest.fixture
def until() -> Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]:
    """Wait until something is so."""
    patience = threading.Event()

    async def wait(is_so: Callable[[], Awaitable[bool]]) -> None:
        while not await is_so():
            await run_sync(patience.wait, 0.02)

    return wait
