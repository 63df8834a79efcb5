"""The way into a loop from any thread, also from one that runs another loop.

Nothing here takes a lock: what a thread is at may be interrupted by a signal, whose handler
asks for something as well. Measured: a lock stopped the main thread within seconds.
"""

from __future__ import annotations

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


class _Door:
    """What leads into one loop, as long as it is open."""

    def __init__(self) -> None:
        self.asked: deque[tuple[Callable[[], Awaitable[Any]], Reply[Any]]] = deque()
        self.signal = Signal()
        self.call_soon = into_this_loop()


class Portal:
    """Has what other threads ask for awaited in its loop, each in a task of its own."""

    def __init__(self) -> None:
        self._door: _Door | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take what is asked while the body lasts; what is left then is cancelled."""
        async with anyio.create_task_group() as tasks:
            door = self._door = _Door()
            tasks.start_soon(self._serve, door, tasks)
            try:
                yield
            finally:
                self._door = None
                tasks.cancel_scope.cancel()
        while door.asked:
            _, reply = door.asked.popleft()
            reply.cancel()

    def begin(self, verb: Callable[[], Awaitable[T]]) -> Reply[T] | None:
        """Have a verb awaited; cancelling the reply cancels it. None: it is closed."""
        if (door := self._door) is None:
            return None
        reply: Reply[T] = Reply()
        door.asked.append((verb, reply))
        door.call_soon(door.signal.set)
        if self._door is not door:
            # It was closed meanwhile, and who closed it may not have seen what we asked.
            reply.cancel()
        return reply

    async def _serve(self, door: _Door, tasks: TaskGroup) -> None:
        while True:
            await door.signal.wait()
            while door.asked:
                verb, reply = door.asked.popleft()
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
        if (door := self._door) is not None:
            door.call_soon(scope.cancel)
