"""Call handlers in worker processes; only text comes back.

What a handler returned or raised is turned into text where it happened: with its
traceback, and without anything that would have to be unpickled here. A process that dies
fails the run it was busy with, and no other.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, Final

import anyio

from nvent_sched._engine.endings import Returned, kinds_of, raised_of, returned_of
from nvent_sched._model.runs import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

DIED: Final = (
    "the worker process died before the handler ended: it left with os._exit, was "
    "killed, or ran out of memory"
)


class WorkerProcesses:
    """Processes that call plain handlers.

    Args:
        most: How many at once.
    """

    def __init__(self, *, most: int) -> None:
        self._limiter = anyio.CapacityLimiter(most)

    async def call(self, function: Callable[[], Any]) -> Returned:
        """Call *function* in a process and say how it ended.

        When the caller is cancelled the process is killed.
        """
        # Few programs need it, and it takes a twentieth of the time of our import.
        from anyio.to_process import run_sync  # noqa: PLC0415

        try:
            return await run_sync(
                _call_here, function, cancellable=True, limiter=self._limiter
            )
        except anyio.BrokenWorkerProcess as error:
            return Returned(outcome=Outcome.FAILED, error=DIED, kinds=kinds_of(error))


def _call_here(function: Callable[[], Any]) -> Returned:
    """Call *function*; in the worker process."""
    # A terminal's Ctrl-C reaches every process of its group: only ours decides what
    # becomes of the runs, and it gives them time to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        value = function()
    except BaseException as error:  # noqa: BLE001  it is the run's, not the process's
        return raised_of(error)
    return returned_of(value)
