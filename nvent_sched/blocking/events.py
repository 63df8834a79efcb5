"""What happens on all instances, as an iterator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from nvent_sched.errors import NotRunningError

if TYPE_CHECKING:
    from nvent_sched._engine.stream import EventStream
    from nvent_sched._model.snapshots import EventSnapshot
    from nvent_sched.blocking.life import Life


class BlockingEvents:
    """Events, one after another, until the scheduler stops.

    `with scheduler.events() as events` hears of everything from there on; `for event in
    scheduler.events()` from its first step.
    """

    def __init__(self, stream: EventStream, *, life: Life) -> None:
        self._stream, self._life = stream, life

    def __enter__(self) -> Self:
        """Begin to listen.

        Raises:
            StoreError: The store could not be asked where its events stand.
        """
        self._life.call(self._stream.__aenter__)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self.close()

    def __iter__(self) -> Self:
        """Iterate."""
        return self

    def __next__(self) -> EventSnapshot:
        """Wait for the next event.

        Raises:
            StoreError: The store could not be asked where its events stand.
            StopIteration: The scheduler stopped, or this was closed.
        """
        try:
            return self._life.call(self._stream.__anext__)
        except (StopAsyncIteration, NotRunningError):
            raise StopIteration from None

    def close(self) -> None:
        """Stop listening. Idempotent."""
        if self._life.is_running:
            self._life.call(self._stream.aclose)
