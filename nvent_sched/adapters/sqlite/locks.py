"""Who lives, by the operating system: each instance locks a file of its own.

The system lets go of the lock when the process ends, however it ends. The lock belongs to
the open file, not to the process, so that two instances in one process see each other's
as well. Where there is no such lock (no `fcntl`), heartbeats alone decide.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import IO, Final

try:
    import fcntl
except ImportError:  # pragma: no cover  not on Windows
    fcntl = None  # type: ignore[assignment]

SAFE: Final = re.compile(r"[^A-Za-z0-9._-]")


class InstanceLocks:
    """The lock files beside one database.

    Args:
        folder: Where they are; made when the first lock is taken. None for a database
            that no other process can see.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder if fcntl is not None else None
        self._held: dict[str, IO[bytes]] = {}

    def _path(self, instance_id: str) -> Path:
        assert self._folder is not None
        return self._folder / SAFE.sub("_", instance_id)

    def take(self, instance_id: str) -> bool:
        """Hold an instance's lock; say whether there is such a lock."""
        if self._folder is None:
            return False
        if instance_id in self._held:
            return True
        try:
            self._folder.mkdir(exist_ok=True)
            opened = self._path(instance_id).open("wb")
        except OSError:
            # A read-only or full folder: the heartbeat alone has to do.
            return False
        if not _lock(opened):
            opened.close()
            return False
        self._held[instance_id] = opened
        return True

    def is_dead(self, instance_id: str) -> bool:
        """Whether nobody holds the lock of an instance that had one."""
        if self._folder is None or instance_id in self._held:
            return False
        try:
            opened = self._path(instance_id).open("rb")
        except FileNotFoundError:
            return True
        except OSError:
            return False
        with opened:
            return _lock(opened)

    def forget(self, instance_id: str) -> None:
        """Remove the file of an instance that ended or died."""
        held = self._held.pop(instance_id, None)
        if self._folder is None:
            return
        self._path(instance_id).unlink(missing_ok=True)
        if held is not None:
            held.close()
        try:
            self._folder.rmdir()
        except OSError:
            return  # others are there

    def forget_dead(self, instance_id: str) -> None:
        """Remove the file of another instance that died."""
        if instance_id not in self._held:
            self.forget(instance_id)

    def close(self) -> None:
        """Let go of every lock."""
        for instance_id in list(self._held):
            self.forget(instance_id)


def _lock(opened: IO[bytes]) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def room_left_share(path: str) -> float | None:
    """Say which share of the file system is free; None if it does not say."""
    try:
        stat = os.statvfs(Path(path).parent)
    except OSError:
        return None
    return stat.f_bavail / stat.f_blocks if stat.f_blocks else None
