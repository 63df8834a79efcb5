"""SIGINT and SIGTERM: the first stops in order, the second at once."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from nvent_sched.blocking.reply import Reply

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heeding_signals(stop: Callable[[], Reply[None] | None]) -> Iterator[None]:
    """Heed them in the main thread while the body starts and waits.

    Args:
        stop: Begins the stop; what it gives is cancelled by the second signal. None:
            there is nothing to stop, and the signal does what it did before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopping: list[Reply[None]] = []
    before = {each: signal.getsignal(each) for each in SIGNALS}

    def heed(number: int, frame: FrameType | None) -> None:
        if stopping:
            stopping[0].cancel()
        elif (begun := stop()) is not None:
            stopping.append(begun)
        else:
            _do(before[signal.Signals(number)], number, frame)

    try:
        for each in SIGNALS:
            signal.signal(each, heed)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _do(disposition: object, number: int, frame: FrameType | None) -> None:
    """Do for a signal what it did before we heeded it."""
    if callable(disposition):
        disposition(number, frame)
    elif disposition is signal.SIG_DFL:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
