"""What a handler logs with `logging` goes into its run's log as well."""

from __future__ import annotations

import logging

from nvent_sched._engine.calling import current_run
from nvent_sched._engine.endings import PACKAGE


class RunLogCapture(logging.Handler):
    """Adds records made inside a handler to the run they belong to."""

    def emit(self, record: logging.LogRecord) -> None:
        """Add one record, if a run is going on in its context."""
        context = current_run.get()
        if context is None or record.name.split(".", 1)[0] == PACKAGE:
            return
        try:
            context.log(f"{record.levelname} {record.name}: {record.getMessage()}")
        except Exception:  # noqa: BLE001  a bad format is the handler's own trouble
            self.handleError(record)
