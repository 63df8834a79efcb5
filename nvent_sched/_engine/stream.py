"""What happens on all instances, as an async iterator for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from nvent_sched._rules.viewing import event_view

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched._engine.bus import Subscriber
    from nvent_sched._model.snapshots import EventSnapshot


class EventStream:
    """Events, one after another, until the scheduler stops.

    `async with scheduler.events() as events` hears of everything from there on;
    `async for event in scheduler.events()` from its first step. It is no generator: it
    may be dropped at any time, and need not be closed.

    Args:
        subscribe: Begins to listen.
        unsubscribe: Stops.
    """

    def __init__(
        self,
        *,
        subscribe: Callable[[], Awaitable[Subscriber]],
        unsubscribe: Callable[[Subscriber], None],
    ) -> None:
        self._subscribe, self._unsubscribe = subscribe, unsubscribe
        self._subscriber: Subscriber | None = None
        self._is_closed = False

    async def __aenter__(self) -> Self:
        """Begin to listen.

        Raises:
            StoreError: The store could not be asked where its events stand.
        """
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        await self.aclose()

    def __aiter__(self) -> Self:
        """Iterate."""
        return self

    async def __anext__(self) -> EventSnapshot:
        """Wait for the next event.

        Raises:
            StoreError: The store could not be asked where its events stand.
            StopAsyncIteration: The scheduler stopped, or this was closed.
        """
        if self._is_closed:
            raise StopAsyncIteration
        event = await (await self._listen()).next()
        if event is None:
            raise StopAsyncIteration
        return event_view(event)

    async def aclose(self) -> None:
        """Stop listening. Idempotent."""
        self._is_closed = True
        if self._subscriber is not None:
            self._unsubscribe(self._subscriber)
            self._subscriber.close()

    async def _listen(self) -> Subscriber:
        if self._subscriber is None:
            self._subscriber = await self._subscribe()
        return self._subscriber
