"""How we log: what happened, and what it is about.

A message is constant, and what it is about are fields of the record, for those who sort
or collect logs. But a format shows fields only by name, so in most programs nobody would
see ours: they stand in the message as well, as arguments of its template. `logging` puts
them in when a handler writes the record, and not before.

Where nobody configured logging, it shows warnings by their message alone. Ours say there
as well whose they are and how bad it is: by a handler on our own logger, which leaves the
root as a program finds it, and is silent as soon as any other handler hears of a record.

Knows nothing of us: everybody who logs may ask it.
"""

from __future__ import annotations

import logging
from copy import copy
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Adapter = logging.LoggerAdapter[logging.Logger]
else:
    Adapter = logging.LoggerAdapter

PACKAGE: Final = __name__.split(".", 1)[0]


class FactsLogger(Adapter):
    """A module's logger, which writes the `extra` of a message after it."""

    def log(
        self,
        level: int,
        msg: object,
        *args: object,
        stacklevel: int = 1,
        extra: Mapping[str, object] | None = None,
        **words: Any,  # noqa: ANN401  passed on
    ) -> None:
        """Log a message with what it is about; all other verbs come here."""
        if self.isEnabledFor(level):
            facts = extra or {}
            self.logger.log(
                level,
                " ".join([str(msg), *(f"{name}=%s" for name in facts)]),
                *args,
                *map(_in_line, facts.values()),
                stacklevel=stacklevel + 1,
                extra=extra,
                **words,
            )


def _in_line(fact: object) -> object:
    """Escape what would end the line, or what no encoding takes: it may be a user's."""
    if not isinstance(fact, str) or fact.isprintable():
        return fact
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in fact
    )


def logger_of(module: str) -> FactsLogger:
    """Give a module its logger."""
    return FactsLogger(logging.getLogger(module), {})


def loggers_above(name: str) -> Iterator[logging.Logger]:
    """Go up from a logger to the last one that hears of its records."""
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None:
        yield logger
        logger = logger.parent if logger.propagate else None


class OriginHandler(logging.Handler):
    """Shows our warnings with their origin, where nobody configured logging."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record, if `logging` would and no other handler hears of it."""
        heard = loggers_above(record.name)
        handlers = [handler for logger in heard for handler in logger.handlers]
        last = logging.lastResort
        if handlers == [self] and last is not None and record.levelno >= last.level:
            shown = copy(record)
            shown.msg = f"{record.levelname} {record.name}: {record.getMessage()}"
            shown.args = None
            last.handle(shown)


logging.getLogger(PACKAGE).addHandler(OriginHandler())
