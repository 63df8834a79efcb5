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

from nvent_sched.adapters._owner import ThreadEnd

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
    """The thread; there is none where the kernel does not tell.

    What is written once this is made is heard of.

    Args:
        path: The log.
        own: What we wrote to it.
        hint: Is called when others may have written.
    """

    def __init__(self, path: str, own: OwnWrites, *, hint: Callable[[], None]) -> None:
        self._own, self._hint = own, hint
        self._end = ThreadEnd()
        try:
            told = _told_of(path)
        except (AttributeError, OSError) as error:
            log.debug("no hints", extra={"error": str(error)})
            self._bell = -1
            self._end.tell()
            return
        ending, self._bell = os.pipe()
        threading.Thread(
            target=self._work,
            args=(told, ending),
            name="nvent-sqlite-hints",
            daemon=True,
        ).start()

    async def end(self) -> None:
        """End it, and wait for that."""
        if self._bell >= 0:
            # That our end is closed is not noticed while a forked child has it, too.
            os.write(self._bell, b".")
            await self._end.wait()
            os.close(self._bell)
            self._bell = -1

    def _work(self, told: int, ending: int) -> None:
        try:
            self._listen(told, ending)
        finally:
            os.close(told)
            os.close(ending)
            self._end.tell()

    def _listen(self, told: int, ending: int) -> None:
        poll = select.poll()
        poll.register(told, select.POLLIN)
        poll.register(ending, select.POLLIN)
        bell = select.poll()
        bell.register(ending, select.POLLIN)
        waits_ms: tuple[int, ...] = ()
        while True:
            # Once something was heard, what comes on top of it need not wake us.
            ready = bell.poll(waits_ms[0]) if waits_ms else poll.poll()
            if any(file == ending for file, _ in ready):
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
