"""What a handler logs with `logging` goes into its run's log as well."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from nvent_sched._engine.calling import current_run
from nvent_sched._engine.endings import PACKAGE
from nvent_sched._engine.printing import is_routed

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGIN: Final = logging.Formatter("%(levelname)s %(name)s: %(message)s")
"""How our own warnings say whose they are, where nobody configured logging."""


@contextmanager
def logging_captured() -> Iterator[None]:
    """Capture what is logged while this is open."""
    capture = RunLogCapture()
    logging.getLogger().addHandler(capture)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(capture)


class RunLogCapture(logging.Handler):
    """Adds records made inside a handler to the run they belong to."""

    def emit(self, record: logging.LogRecord) -> None:
        """Add one record, if a run is going on in its context."""
        context = None if _is_ours(record) else current_run.get()
        others = _other_handlers(record)
        last = logging.lastResort
        is_shown = last is not None and not others and record.levelno >= last.level
        if is_shown and (context is None or not is_routed(sys.stderr)):
            # Where nobody configured logging, warnings go to stderr: also with us.
            assert last is not None
            last.handle(_with_origin(record) if _is_ours(record) else record)
        if context is None or any(_is_printed_to_run(each, record) for each in others):
            return
        try:
            context.log(f"{record.levelname} {record.name}: {record.getMessage()}")
        except Exception:  # noqa: BLE001  a bad format is the handler's own trouble
            self.handleError(record)


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.split(".", 1)[0] == PACKAGE


def _with_origin(record: logging.LogRecord) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"msg": ORIGIN.format(record), "levelno": record.levelno}
    )


def _other_handlers(record: logging.LogRecord) -> list[logging.Handler]:
    """List the handlers beside ours that hear of a record."""
    others: list[logging.Handler] = []
    logger: logging.Logger | None = logging.getLogger(record.name)
    while logger is not None:
        others += (h for h in logger.handlers if not isinstance(h, RunLogCapture))
        logger = logger.parent if logger.propagate else None
    return others


def _is_printed_to_run(handler: logging.Handler, record: logging.LogRecord) -> bool:
    """Whether a handler writes a record into the run's log, by printing it."""
    stream = getattr(handler, "stream", None)
    return is_routed(stream) and record.levelno >= handler.level
