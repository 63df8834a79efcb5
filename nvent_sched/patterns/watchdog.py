"""One watchdog as its user holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from nvent_sched._model.roles import Role, id_of
from nvent_sched._rules.watching import watchdog_view

if TYPE_CHECKING:
    from types import TracebackType

    from nvent_sched._model.jobs import JobDefinition
    from nvent_sched._model.watchdogs import WatchdogSnapshot
    from nvent_sched.patterns.watchdogs import Watchdogs


def watch_id_of(key: str) -> str:
    """Say which job keeps the watchdog of a key.

    Raises:
        UsageError: It cannot be a key.
    """
    return id_of(Role.WATCHDOG, key)


class Watchdog:
    """Watches a piece of work: without a sign of life for too long, an alarm is raised.

    `async with` starts it and, at the end of the block, finishes it. A block that is
    left by an exception or a cancellation leaves it armed: the work is not finished, so
    unless it is started again in time, here or elsewhere, the alarm is raised.

    Attributes:
        key: Of the work.
    """

    def __init__(self, watchdogs: Watchdogs, definition: JobDefinition) -> None:
        self._watchdogs, self._definition = watchdogs, definition
        self._is_started = False
        self.key: str = definition.name

    def __repr__(self) -> str:
        """Say which work."""
        return f"<Watchdog {self.key}>"

    async def start(self) -> WatchdogSnapshot:
        """Begin to watch, or go on with what was watched under the key: that is a sign.

        Raises:
            StoreError: It could not be stored.
        """
        job = await self._watchdogs.start(self._definition)
        self._is_started = True
        return watchdog_view(job)

    def beat(self) -> None:
        """Give a sign of life. From any thread, as often as you like: it waits for nothing.

        Before the start and after the end it does nothing.
        """
        if self._is_started:
            self._watchdogs.beat(self._definition.id)

    async def finish(self) -> bool:
        """Stop watching: the work is done.

        If the store cannot take it now, it is written as soon as the store can.

        Returns:
            Whether it was watched.
        """
        self._is_started = False
        return await self._watchdogs.finish(self._definition.id)

    async def __aenter__(self) -> Self:
        """Start.

        Raises:
            StoreError: It could not be stored.
        """
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish, unless the block was left by an exception."""
        if kind is None:
            await self.finish()
        self._is_started = False
