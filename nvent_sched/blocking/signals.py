"""SIGINT and SIGTERM: the first stops in order, the second at once."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from nvent_sched.errors import NotRunningError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heeding_signals(stop: Callable[[], Future[None]]) -> Iterator[None]:
    """Heed them in the main thread while the body waits.

    Args:
        stop: Begins the stop; what it gives is cancelled by the second signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopping: list[Future[None]] = []

    def heed(number: int, frame: object) -> None:
        del number, frame
        if stopping:
            stopping[0].cancel()
            return
        with suppress(NotRunningError):
            stopping.append(stop())

    before = {each: signal.signal(each, heed) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
