"""Hints: an instance is rung for by touching the file it holds its lock on.

Whoever has written what others could take (jobs, READY runs) touches the files of the other
instances on this machine once it is committed; on Linux each of them hears of that from the
kernel (inotify), in a thread. Nobody is rung for by a claim or a verdict: several processes
that work side by side do not wake one another. Where the kernel tells nobody, and for a ring
that is lost, there is the engine's poll: nothing here is waited for.
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
    from pathlib import Path

log: Final = logging.getLogger(__name__)
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
        self._ending, self._end = os.pipe()
        self._told = _told()
        self._thread = threading.Thread(
            target=self._work, name="nvent-sqlite-hints", daemon=True
        )
        self._thread.start()

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
        os.close(self._end)
        await run_sync_in_thread(self._thread.join)
        os.close(self._ending)
        told, self._told = self._told, None
        if told is not None:
            os.close(told)

    def _work(self) -> None:
        if self._told is None:
            return
        poll = select.poll()
        poll.register(self._told, select.POLLIN)
        poll.register(self._ending, select.POLLHUP)
        while all(file != self._ending for file, _ in poll.poll()):
            os.read(self._told, EVENTS_BYTES)
            self._hint()


def _told() -> int | None:
    """Open what the kernel tells by; None where it does not."""
    try:
        told: int = ctypes.CDLL(None).inotify_init1(FLAGS)
    except (AttributeError, OSError, TypeError):
        return None
    return told if told >= 0 else None
