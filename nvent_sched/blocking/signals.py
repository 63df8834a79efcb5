"""SIGINT and SIGTERM: the first stops in order, the second at once.

One that comes right after the first is no second one: who ends a group of processes may
well tell a process twice, as `timeout` does within microseconds.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from nvent_sched._engine.clock import SystemClock
from nvent_sched._model.instants import MILLISECOND_US

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from nvent_sched.blocking.reply import Reply

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
APART_US: Final = 500 * MILLISECOND_US
"""How much later a signal must come to say something else than the one before it."""


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
    clock = SystemClock()
    stopping: list[tuple[Reply[None], int]] = []
    before = {each: signal.getsignal(each) for each in SIGNALS}

    def heed(number: int, frame: FrameType | None) -> None:
        if stopping:
            begun, heard_us = stopping[0]
            if clock.monotonic_us() - heard_us >= APART_US:
                begun.cancel()
        elif (begun_now := stop()) is not None:
            stopping.append((begun_now, clock.monotonic_us()))
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
