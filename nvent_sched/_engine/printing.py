"""What a handler prints in a notebook goes into its run's log.

A kernel shows what is printed below the cell it executes, or executed last: what a job
prints later would turn up below whichever that is. So while a scheduler runs in a kernel,
the kernel's two streams ask first whose text it is, and a run's text goes to the run. A
terminal has one place for everything: nothing is changed there.

The streams stay the objects they are (loggers and progress bars hold on to them), and
only for the time get a class of their own. To replace `stream.write` would not do:
IPython does that itself, around every cell, and at its end puts back what it found.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._engine.calling import current_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Write = Callable[[str], int | None]

KERNEL: Final = "ipykernel.iostream"
_lock: Final = threading.Lock()
_users: Final = Counter[object]()


@contextmanager
def prints_routed() -> Iterator[None]:
    """Route what handlers print while this is open; in a notebook's kernel only."""
    streams: list[Any] = [s for s in (sys.stdout, sys.stderr) if _is_of_kernel(s)]
    for stream in streams:
        with _lock:
            _users[stream] += 1
            if not is_routed(stream):
                stream.__class__ = _routed(type(stream))
    try:
        yield
    finally:
        for stream in streams:
            with _lock:
                _users[stream] -= 1
                if not _users[stream]:
                    del _users[stream]
                    stream.__class__ = type(stream).__base__


def is_routed(stream: object) -> bool:
    """Whether what is printed to a stream goes to the run it belongs to."""
    return isinstance(getattr(type(stream), "write", None), _RoutedWrite)


def _is_of_kernel(stream: object) -> bool:
    kind = getattr(sys.modules.get(KERNEL), "OutStream", None)
    return kind is not None and isinstance(stream, kind)


class _RoutedWrite:
    """The `write` of a stream: the run's, else the stream's or who replaced it."""

    def __init__(self, kind: Any) -> None:  # noqa: ANN401  ipykernel's own
        self._kind = kind

    def __get__(self, stream: Any, _: type) -> Any:  # noqa: ANN401  a descriptor
        if stream is None:
            return self
        context = current_run.get()
        if context is not None and not context.is_over:
            return context.write
        return vars(stream).get("write") or self._kind.write.__get__(stream)

    def __set__(self, stream: object, write: Write) -> None:
        vars(stream)["write"] = write

    def __delete__(self, stream: object) -> None:
        del vars(stream)["write"]


def _routed(kind: type) -> type:
    return type(kind.__name__, (kind,), {"write": _RoutedWrite(kind)})
