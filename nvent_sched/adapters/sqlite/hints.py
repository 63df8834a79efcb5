"""Hints: one thread that is told by the kernel when another process writes to the file.

Each commit is written to the log beside the file, and on Linux whoever asks (inotify) hears
of it at once. What is heard of is not committed yet: the writer still waits for the disk. So
a hint is given a little later, and again. What we wrote ourselves is told from what others
did by the time at which the log was last written. Where the kernel tells nobody, and for a
hint that is lost, there is the engine's poll: nothing here is waited for.
"""

from __future__ import annotations

import ctypes
import logging
import os
import select
import threading
from typing import TYPE_CHECKING, Final

from anyio.to_thread import run_sync as run_sync_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

log: Final = logging.getLogger(__name__)
IN_MODIFY: Final = 0x2
FLAGS: Final = os.O_CLOEXEC | os.O_NONBLOCK
EVENTS_BYTES: Final = 64 * 1_024
ECHOES_MS: Final = (1, 4, 20, 80)
"""When a hint is given after the log was written: the disk may take its time."""


class OwnWrites:
    """What this process wrote last; kept by the owner's thread, read by the other.

    Args:
        path: The log.

    Attributes:
        are_under_way: A transaction that writes is open.
        last_ns: When the log was written, as of the end of our last one.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.are_under_way: bool = False
        self.last_ns: int = 0

    def begin(self) -> None:
        """Say that what is written from now on is ours."""
        self.are_under_way = True

    def end(self) -> None:
        """Say that it has been written, or undone."""
        self.last_ns = self.written_ns()
        self.are_under_way = False

    def written_ns(self) -> int:
        """Say when the log was last written; 0 if there is none."""
        try:
            return os.stat(self._path).st_mtime_ns  # noqa: PTH116  with each step
        except OSError:
            return 0


class HintThread:
    """The thread; it ends by itself where the kernel does not tell.

    Args:
        path: The log.
        own: What we wrote to it.
        hint: Is called when others may have written.
    """

    def __init__(self, path: str, own: OwnWrites, *, hint: Callable[[], None]) -> None:
        self._path, self._own, self._hint = path, own, hint
        self._ending, self._end = os.pipe()
        self._thread = threading.Thread(
            target=self._work, name="nvent-sqlite-hints", daemon=True
        )
        self._thread.start()

    async def end(self) -> None:
        """End it, and wait for that."""
        os.close(self._end)
        await run_sync_in_thread(self._thread.join)

    def _work(self) -> None:
        told = -1
        try:
            told = _told_of(self._path)
            self._listen(told)
        except (AttributeError, OSError) as error:
            log.debug("no hints", extra={"error": str(error)})
        finally:
            if told >= 0:
                os.close(told)
            os.close(self._ending)

    def _listen(self, told: int) -> None:
        poll = select.poll()
        poll.register(told, select.POLLIN)
        poll.register(self._ending, select.POLLHUP)
        ending = select.poll()
        ending.register(self._ending, select.POLLHUP)
        waits_ms: tuple[int, ...] = ()
        while True:
            # Once something was heard, what comes on top of it need not wake us.
            ready = ending.poll(waits_ms[0]) if waits_ms else poll.poll()
            if any(file == self._ending for file, _ in ready):
                return
            if not waits_ms:
                os.read(told, EVENTS_BYTES)
                waits_ms = ECHOES_MS
                continue
            waits_ms = waits_ms[1:]
            if self._own.are_under_way:
                continue
            if self._own.written_ns() == self._own.last_ns:
                waits_ms = ()
                continue
            self._hint()


def _told_of(path: str) -> int:
    """Ask the kernel to tell of writes to a file.

    Raises:
        AttributeError: This system has no such thing.
        OSError: The file cannot be watched.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    told: int = libc.inotify_init1(FLAGS)
    if told < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    if libc.inotify_add_watch(told, os.fsencode(path), IN_MODIFY) < 0:
        error = OSError(ctypes.get_errno(), "inotify_add_watch")
        os.close(told)
        raise error
    return told
