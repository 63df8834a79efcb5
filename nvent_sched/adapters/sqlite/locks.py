"""The operating system's locks, by which a dead process is noticed at once.

An instance holds an exclusive lock on a file of its own, in the folder
`<store>.instances`. The kernel lets go of it when the process ends, however it ends; so
an instance on this machine whose file is not locked is dead. Where there are no such
locks, or the instance runs on another machine, its heartbeat alone says so.

A lock belongs to an open file, not to a process: two adapters in one process see each
other's. A file is deleted only by who holds its lock, or two could hold "the" lock.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from weakref import WeakSet

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
TAKE_ATTEMPTS: Final = 3


def this_machine() -> str:
    """Name the running kernel: the one that keeps the locks we can see."""
    with suppress(OSError):
        return BOOT_ID.read_text("ascii").strip()
    return os.uname().nodename


class InstanceLocks:
    """The locks that one adapter holds, and what it can see of those of others.

    Args:
        folder: Where the files are; made when the first lock is taken. None for a
            store that no other process can see.
    """

    def __init__(self, folder: Path | None) -> None:
        has_locks = sys.platform != "win32" and folder is not None
        self._machine = this_machine() if has_locks else None
        self._folder = folder or Path()
        self._held: dict[str, int] = {}
        self._on_taken: Callable[[Path], None] | None = None
        _ALL.add(self)

    def on_taken(self, tell: Callable[[Path], None]) -> None:
        """Tell of the file of each lock that is ours, now or later."""
        self._on_taken = tell
        for instance_id in tuple(self._held):
            tell(self._path(instance_id))

    def ring(self) -> None:
        """Touch the files of the other instances: there is something for them."""
        ours = {self._path(instance_id).name for instance_id in tuple(self._held)}
        with suppress(OSError), os.scandir(self._folder) as files:
            for file in files:
                if file.name not in ours:
                    os.utime(file.path)

    def take(self, instance_id: str) -> str | None:
        """Hold the lock of an instance; again and again does no harm.

        Returns:
            The machine on which it is held; None where there are no locks.
        """
        if self._machine is None:
            return None
        path, held = self._path(instance_id), self._held.get(instance_id)
        if held is not None and _is_in_place(path, held):
            return self._machine
        self.release(instance_id)  # somebody has deleted the file
        for _ in range(TAKE_ATTEMPTS):
            with suppress(OSError):  # no room, no permission, or no such locks here
                self._folder.mkdir(exist_ok=True)
                taken = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
                if _is_locked(taken, is_exclusive=True) and _is_in_place(path, taken):
                    self._held[instance_id] = taken
                    if self._on_taken is not None:
                        self._on_taken(path)
                    return self._machine
                os.close(taken)
        return None

    def is_free(self, instance_id: str, machine: str | None) -> bool:
        """Say whether an instance that should hold its lock does not.

        Args:
            instance_id: Whose lock.
            machine: Where it is held, as told by `take`.
        """
        if machine is None or machine != self._machine or instance_id in self._held:
            return False
        try:
            with _opened(self._path(instance_id)) as seen:
                # Shared, so that two who look at the same time do not see each other.
                return _is_locked(seen, is_exclusive=False)
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def bury(self, instance_id: str) -> None:
        """Delete the file of an instance, if nobody holds its lock."""
        if self._machine is None:
            return
        path = self._path(instance_id)
        with suppress(OSError), _opened(path) as seen:
            if _is_locked(seen, is_exclusive=True):
                path.unlink()
        self._remove_folder()

    def release(self, instance_id: str) -> None:
        """Let go of a lock of ours; of one that is not held, nothing happens."""
        held = self._held.pop(instance_id, None)
        if held is not None:
            with suppress(OSError):
                self._path(instance_id).unlink()
            os.close(held)
            self._remove_folder()

    def _remove_folder(self) -> None:
        if self._machine is not None:
            with suppress(OSError):
                self._folder.rmdir()  # unless others have files in it

    def close(self) -> None:
        """Let go of every lock of ours."""
        for instance_id in tuple(self._held):
            self.release(instance_id)

    def abandon(self) -> None:
        """Forget the locks: they are those of the process we were forked from."""
        for held in self._held.values():
            os.close(held)
        self._held.clear()

    def _path(self, instance_id: str) -> Path:
        return self._folder / f"{quote(instance_id, safe='')}.lock"


_ALL: Final[WeakSet[InstanceLocks]] = WeakSet()


def _abandon_all() -> None:
    # A child that kept its copies would hold the locks of a parent that was killed.
    for locks in tuple(_ALL):
        locks.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    seen = os.open(path, os.O_RDWR)
    try:
        yield seen
    finally:
        os.close(seen)


def _is_locked(opened: int, *, is_exclusive: bool) -> bool:
    """Lock an open file if nobody else has; say whether it is ours now."""
    if sys.platform == "win32":  # pragma: no cover
        return False
    kind = fcntl.LOCK_EX if is_exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(opened, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_in_place(path: Path, opened: int) -> bool:
    """Say whether the path still names the file that is open."""
    try:
        return os.path.samestat(path.stat(), os.fstat(opened))
    except FileNotFoundError:
        return False


def room_left_share(path: str) -> float | None:
    """Say which share of the file system is free; None if it does not say."""
    try:
        stat = os.statvfs(Path(path).parent)
    except OSError:
        return None
    return stat.f_bavail / stat.f_blocks if stat.f_blocks else None
