"""Hints: an instance is rung for by touching the file it holds its lock on.

Whoever has written what others could take (jobs, READY runs) touches the files of the other
instances on this machine once it is committed; on Linux each of them hears of that from the
kernel (inotify), in a thread. Nobody is rung for by a claim or a verdict: several processes
that work side by side do not wake one another. Where the kernel tells nobody, and for a ring
that is lost, there is the engine's poll: nothing here is waited for.
"""

from __future__ import annotations

import ctypes
import os
import select
import threading
from typing import TYPE_CHECKING, Final

from nvent_sched._logs import logger_of
from nvent_sched.adapters._owner import ThreadEnd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log: Final = logger_of(__name__)
IN_ATTRIB: Final = 0x4
FLAGS: Final = os.O_CLOEXEC | os.O_NONBLOCK
EVENTS_BYTES: Final = 64 * 1_024


class HintThread:
    """The thread; it ends by itself where the kernel does not tell.

    Args:
        hint: Is called when somebody rang.
    """

    def __init__(self, *, hint: Callable[[], None]) -> None:
        self._hint = hint
        self._ending, self._bell = os.pipe()
        self._end = ThreadEnd()
        self._told = _told()
        threading.Thread(
            target=self._work, name="nvent-sqlite-hints", daemon=True
        ).start()

    def watch(self, path: Path) -> None:
        """Hear of it when this file is touched."""
        if self._told is None:
            return
        given = ctypes.CDLL(None).inotify_add_watch(
            self._told, os.fsencode(path), IN_ATTRIB
        )
        if given < 0:
            log.debug("no hints", extra={"path": str(path)})

    async def end(self) -> None:
        """End it, and wait for that."""
        # A byte, for nobody notices that our end is closed while a forked child has it.
        os.write(self._bell, b".")
        await self._end.wait()
        for each in (self._bell, self._ending):
            os.close(each)
        told, self._told = self._told, None
        if told is not None:
            os.close(told)

    def _work(self) -> None:
        if self._told is not None:
            self._listen(self._told)
        self._end.tell()

    def _listen(self, told: int) -> None:
        poll = select.poll()
        poll.register(told, select.POLLIN)
        poll.register(self._ending, select.POLLIN)
        while all(file != self._ending for file, _ in poll.poll()):
            os.read(told, EVENTS_BYTES)
            self._hint()


def _told() -> int | None:
    """Open what the kernel tells by; None where it does not."""
    try:
        told: int = ctypes.CDLL(None).inotify_init1(FLAGS)
    except (AttributeError, OSError, TypeError):
        return None
    return told if told >= 0 else None
