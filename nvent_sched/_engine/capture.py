"""What a handler logs with `logging` goes into its run's log as well.

Our own messages are constant, and what they are about is in the record's fields: where
nobody configured logging, we write both.
"""

from __future__ import annotations

import logging
from typing import Final

from nvent_sched._engine.calling import current_run
from nvent_sched._engine.endings import PACKAGE

USUAL_FACTS: Final = {
    *vars(logging.makeLogRecord({})),
    *("message", "asctime", "taskName"),
}


class RunLogCapture(logging.Handler):
    """Adds records made inside a handler to the run they belong to."""

    def emit(self, record: logging.LogRecord) -> None:
        """Add one record, if a run is going on in its context."""
        last = logging.lastResort
        if last is not None and record.levelno >= last.level and _is_alone(record):
            # Where nobody configured logging, warnings go to stderr: also with us.
            last.handle(_with_facts(record) if _is_ours(record) else record)
        context = current_run.get()
        if context is None or _is_ours(record):
            return
        try:
            context.log(f"{record.levelname} {record.name}: {record.getMessage()}")
        except Exception:  # noqa: BLE001  a bad format is the handler's own trouble
            self.handleError(record)


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.split(".", 1)[0] == PACKAGE


def _with_facts(record: logging.LogRecord) -> logging.LogRecord:
    text = FactsFormatter("%(levelname)s %(name)s: %(message)s").format(record)
    return logging.makeLogRecord({"msg": text, "levelno": record.levelno})


def _is_alone(record: logging.LogRecord) -> bool:
    """Whether only handlers of ours hear of a record."""
    logger: logging.Logger | None = logging.getLogger(record.name)
    while logger is not None:
        if any(not isinstance(each, RunLogCapture) for each in logger.handlers):
            return False
        logger = logger.parent if logger.propagate else None
    return True


class FactsFormatter(logging.Formatter):
    """Write what a record is about after its message: our messages are constant."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's
        """Add the fields that the caller added to the record."""
        facts = vars(record).items()
        added = [f"{name}={value}" for name, value in facts if name not in USUAL_FACTS]
        return " ".join([super().formatMessage(record), *added])
