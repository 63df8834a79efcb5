"""What the tests of the SQLite adapter share: a file, adapters on it, other processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import pytest

from nvent_sched._model.instants import SECOND_US
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.testing.conformance.builders import NOON, at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from contextlib import AbstractContextManager

SCRIPT: Final = Path(__file__).with_name("another_process.py")
DEAD_US: Final = 20 * SECOND_US


class Other:
    """Another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> str:
        return self._pipe(self.process.stdout).readline().strip()

    def until_ready(self) -> None:
        assert self.line() == "ready"

    def go(self) -> None:
        pipe = self._pipe(self.process.stdin)
        pipe.write("go\n")
        pipe.flush()

    def rest(self) -> list[str]:
        """Wait for its end; say what it printed since."""
        printed = self._pipe(self.process.stdout).read().splitlines()
        assert self.process.wait() == 0
        return printed

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@contextmanager
def start(role: str, path: Path, name: str = "other") -> Iterator[Other]:
    """Let another process play a role of `another_process.py`."""
    process = subprocess.Popen(  # noqa: S603  our own words
        [sys.executable, "-W", "ignore", SCRIPT, role, path, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Other(process)
        process.kill()


@pytest.fixture
def another() -> Callable[..., AbstractContextManager[Other]]:
    """Start another process: role, file, name."""
    return start


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
async def adapter(path: Path) -> AsyncIterator[SqliteAdapter]:
    opened = SqliteAdapter(path, synchronous="OFF")
    await opened.open(now=NOON)
    yield opened
    await opened.close()


@pytest.fixture
async def second(path: Path, adapter: SqliteAdapter) -> AsyncIterator[SqliteAdapter]:
    """Open the file once more, as another process would."""
    assert adapter.url == f"sqlite:///{path}"
    opened = SqliteAdapter(path, synchronous="OFF")
    await opened.open(now=NOON)
    yield opened
    await opened.close()


@pytest.fixture
def dead() -> Callable[..., Awaitable[tuple[list[str], list[str]]]]:
    """Ask which runs are lost and which instances are dead, so many seconds on."""

    async def ask(
        adapter: SqliteAdapter, *, seconds: int = 0
    ) -> tuple[list[str], list[str]]:
        lost = await adapter.take_lost(now=at(seconds), dead_after_us=DEAD_US, limit=99)
        return [run.id for run in lost.runs], list(lost.dead)

    return ask
