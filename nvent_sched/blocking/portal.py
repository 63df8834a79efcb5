"""The way into a loop from any thread, also from one that runs another loop."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, InvalidStateError
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from nvent_sched._engine.signals import Signal, into_this_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from anyio.abc import TaskGroup

T = TypeVar("T")


class Portal:
    """Has what other threads ask for awaited in its loop, each in a task of its own."""

    def __init__(self) -> None:
        self._asked: deque[tuple[Callable[[], Awaitable[Any]], Future[Any]]] = deque()
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
        for _, future in self._asked:
            future.cancel()

    def begin(self, verb: Callable[[], Awaitable[T]]) -> Future[T] | None:
        """Have a verb awaited; cancelling the future cancels it. None: it is closed."""
        future: Future[T] = Future()
        with self._lock:
            if self._call_soon is None:
                return None
            self._asked.append((verb, future))
            self._call_soon(self._signal.set)
        return future

    async def _serve(self, tasks: TaskGroup) -> None:
        while True:
            await self._signal.wait()
            while self._asked:
                verb, future = self._asked.popleft()
                tasks.start_soon(self._make, verb, future)

    async def _make(self, verb: Callable[[], Awaitable[T]], future: Future[T]) -> None:
        with anyio.CancelScope() as scope:
            future.add_done_callback(partial(self._cancel, scope))
            try:
                result = await verb()
            except anyio.get_cancelled_exc_class():
                future.cancel()
                raise
            except BaseException as error:  # noqa: BLE001  it belongs to who waits
                with suppress(InvalidStateError):
                    future.set_exception(error)
            else:
                with suppress(InvalidStateError):
                    future.set_result(result)

    def _cancel(self, scope: anyio.CancelScope, future: Future[Any]) -> None:
        if future.cancelled():
            with self._lock:
                if self._call_soon is not None:
                    self._call_soon(scope.cancel)
