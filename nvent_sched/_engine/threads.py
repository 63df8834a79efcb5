"""Daemon worker threads for plain handlers.

Ours and not the event loop's, because those keep the interpreter alive at exit until
they end: a handler that never returns would hang every script. A thread that is free is
used again; how many there are is bounded by the slots of the engine.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import anyio
from anyio.from_thread import run_sync as run_sync_in_loop
from anyio.lowlevel import EventLoopToken, current_token

if TYPE_CHECKING:
    from collections.abc import Callable


class _Call:
    """One call on its way through a thread and back."""

    __slots__ = ("context", "done", "error", "function", "result", "token")

    def __init__(self, function: Callable[[], Any], *, token: EventLoopToken) -> None:
        self.function, self.token = function, token
        self.context = contextvars.copy_context()
        self.done = anyio.Event()
        self.result: Any = None
        self.error: BaseException | None = None

    def make(self) -> None:
        """Call, in the worker thread."""
        try:
            self.result = self.context.run(self.function)
        except BaseException as error:  # noqa: BLE001  it belongs to whoever waits
            self.error = error


class WorkerThreads:
    """Threads that call plain handlers.

    Attributes:
        busy: How many calls are being made, abandoned ones included; one that has ended
            is counted until the loop knows it, so that at no moment nobody seems at work.
    """

    def __init__(self) -> None:
        self._idle: deque[SimpleQueue[_Call | None]] = deque()
        self._lock = threading.Lock()
        self.busy: int = 0

    async def call(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401  the handler's
        """Call *function* in a thread.

        When the caller is cancelled the thread is left behind: a thread cannot be
        stopped, it can only be asked to.
        """
        call = _Call(function, token=current_token())
        self.busy += 1
        with self._lock:
            queue = self._idle.popleft() if self._idle else None
        if queue is None:
            queue = SimpleQueue()
            threading.Thread(
                target=self._work, args=(queue,), name="nvent-worker", daemon=True
            ).start()
        queue.put(call)
        await call.done.wait()
        if call.error is not None:
            raise call.error
        return call.result

    def _work(self, queue: SimpleQueue[_Call | None]) -> None:
        while (call := queue.get()) is not None:
            call.make()
            with self._lock:
                self._idle.append(queue)
            try:
                run_sync_in_loop(self._note_end, call, token=call.token)
            except RuntimeError:
                return  # the loop is gone, and the caller with it
            del call

    def _note_end(self, call: _Call) -> None:
        """Wake who waits, in the loop."""
        self.busy -= 1
        call.done.set()

    def close(self) -> None:
        """End the threads that are free; the others end after their call."""
        with self._lock:
            idle, self._idle = self._idle, deque()
        for queue in idle:
            queue.put(None)
