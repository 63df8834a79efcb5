"""What a handler logs with `logging` goes into its run's log as well.

It is kept where records are made, by a factory chained before the one in place. A handler
of `logging` on the root logger would hear of them too, but be taken for the program's
own: `basicConfig` would do nothing any more, and a program that configured nothing would
not see its warnings. So no record below a logger's level is kept, and none that its logger
keeps to its own handlers; what a filter of the program holds back is in the run's log.
"""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._engine.calling import current_run
from nvent_sched._engine.printing import is_routed
from nvent_sched._logs import PACKAGE, loggers_above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvent_sched._engine.context import RunContext

    Make = Callable[..., logging.LogRecord]

_lock: Final = threading.Lock()
_making: Final = threading.local()


@contextmanager
def logging_captured() -> Iterator[None]:
    """Capture what is logged while this is open."""
    with ExitStack() as held:
        with _lock:
            capture = RunLogCapture(logging.getLogRecordFactory())
            logging.setLogRecordFactory(capture)
        held.callback(capture.close)
        if (last := logging.lastResort) is not None:
            last.addFilter(capture.is_for_screen)
            held.callback(last.removeFilter, capture.is_for_screen)
        yield


class RunLogCapture:
    """Makes records as before, and adds those of a handler to the run they belong to.

    Args:
        make: The factory before it.
    """

    def __init__(self, make: Make) -> None:
        self.make = make
        self._is_open = True

    def __call__(self, *args: Any, **words: Any) -> logging.LogRecord:  # noqa: ANN401  passed on
        """Make one record, and keep it if a run is going on in its context."""
        if not self._is_open or getattr(_making, "is_kept", False):
            return self.make(*args, **words)
        _making.is_kept = True  # of several schedulers' captures the last one keeps it
        try:
            record = self.make(*args, **words)
        finally:
            _making.is_kept = False
        _keep(record)
        return record

    def close(self) -> None:
        """Keep nothing more, and go if nobody chained another factory to this one."""
        self._is_open = False
        with _lock:
            make = logging.getLogRecordFactory()
            while isinstance(make, RunLogCapture) and not make._is_open:  # noqa: SLF001  another of ours
                make = make.make
                logging.setLogRecordFactory(make)

    def is_for_screen(self, record: logging.LogRecord) -> bool:
        """Whether a warning shall be shown where nobody configured logging.

        What is printed to a kernel's stream goes to the run, which has it already.
        """
        is_kept = _run_of(record) is not None
        return not (self._is_open and is_kept and is_routed(sys.stderr))


def _run_of(record: logging.LogRecord) -> RunContext | None:
    # Who makes a record out of its fields names it later.
    name: str | None = record.name
    if name is None or name.split(".", 1)[0] == PACKAGE:
        return None
    return current_run.get()


def _keep(record: logging.LogRecord) -> None:
    context = _run_of(record)
    if context is None:
        return
    *_, top = heard = list(loggers_above(record.name))
    handlers = [handler for logger in heard for handler in logger.handlers]
    is_private = bool(handlers) and top.parent is not None
    if is_private or any(_is_printed_to_run(each, record) for each in handlers):
        return
    try:
        text = record.getMessage()
    except Exception as error:  # noqa: BLE001  a bad format is the handler's own trouble
        text = f"(its text could not be made: {type(error).__qualname__})"
    context.log(f"{record.levelname} {record.name}: {text}")


def _is_printed_to_run(handler: logging.Handler, record: logging.LogRecord) -> bool:
    """Whether a handler writes a record into the run's log, by printing it."""
    stream = getattr(handler, "stream", None)
    return is_routed(stream) and record.levelno >= handler.level
