"""The way into a loop from any thread, also from one that runs another loop."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from nvent_sched._engine.signals import Signal, into_this_loop
from nvent_sched.blocking.reply import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from anyio.abc import TaskGroup

T = TypeVar("T")


class Portal:
    """Has what other threads ask for awaited in its loop, each in a task of its own."""

    def __init__(self) -> None:
        self._asked: deque[tuple[Callable[[], Awaitable[Any]], Reply[Any]]] = deque()
        self._lock = threading.Lock()
        self._signal = Signal()
        self._call_soon: Callable[[Callable[[], object]], None] | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take what is asked while the body lasts; what is left then is cancelled."""
        async with anyio.create_task_group() as tasks:
            with self._lock:
                self._call_soon = into_this_loop()
            tasks.start_soon(self._serve, tasks)
            try:
                yield
            finally:
                with self._lock:
                    self._call_soon = None
                tasks.cancel_scope.cancel()
        for _, reply in self._asked:
            reply.cancel()

    def begin(self, verb: Callable[[], Awaitable[T]]) -> Reply[T] | None:
        """Have a verb awaited; cancelling the reply cancels it. None: it is closed."""
        reply: Reply[T] = Reply()
        with self._lock:
            if self._call_soon is None:
                return None
            self._asked.append((verb, reply))
            self._call_soon(self._signal.set)
        return reply

    async def _serve(self, tasks: TaskGroup) -> None:
        while True:
            await self._signal.wait()
            while self._asked:
                verb, reply = self._asked.popleft()
                tasks.start_soon(self._make, verb, reply)

    async def _make(self, verb: Callable[[], Awaitable[T]], reply: Reply[T]) -> None:
        with anyio.CancelScope() as scope:
            reply.when_cancelled(partial(self._cancel, scope))
            try:
                result = await verb()
            except anyio.get_cancelled_exc_class():
                reply.cancel()
                raise
            except BaseException as error:  # noqa: BLE001  it belongs to who waits
                reply.fail(error)
            else:
                reply.give(result)

    def _cancel(self, scope: anyio.CancelScope) -> None:
        with self._lock:
            if self._call_soon is not None:
                self._call_soon(scope.cancel)
