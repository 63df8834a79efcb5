"""Tell subscribers what happened, on all instances.

Everything goes through the store's ring, so that each subscriber sees each event once, in
one order, whoever told it. A subscriber that does not keep up loses the oldest events and
is told how many: a view must never slow the engine.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from nvent_sched._engine.signals import Signal

if TYPE_CHECKING:
    from nvent_sched._engine.core import Core
    from nvent_sched._model.events import Event

READ_BATCH: Final = 1_000
BUFFER_MAX: Final = 10_000


class Subscriber:
    """One reader of events.

    Args:
        after: The number of the last event that is not for it.

    Attributes:
        after: The same.
        dropped: How many events it lost because it did not keep up.
        signal: Set when there is something to take, or it was closed.
    """

    def __init__(self, *, after: int) -> None:
        self.after: int = after
        self._events: deque[Event] = deque(maxlen=BUFFER_MAX)
        self.signal: Signal = Signal()
        self.is_closed: bool = False
        self.dropped: int = 0

    def put(self, event: Event) -> None:
        """Hand an event over, if it is for this reader."""
        if event.seq <= self.after:
            return
        if len(self._events) == BUFFER_MAX:
            self.dropped += 1
        self._events.append(event)
        self.signal.set()

    def close(self) -> None:
        """Let the reader end."""
        self.is_closed = True
        self.signal.set()

    def take(self) -> tuple[Event, ...]:
        """Hand over what has come, without waiting."""
        taken = tuple(self._events)
        self._events.clear()
        return taken

    async def next(self) -> Event | None:
        """Wait for the next event; None once the scheduler stopped."""
        while not self._events:
            if self.is_closed:
                return None
            await self.signal.wait()
        return self._events.popleft()


class Bus:
    """The subscribers of one instance."""

    def __init__(self, core: Core) -> None:
        self._core = core
        # A reader that was dropped without a word is forgotten with it.
        self._subscribers: WeakSet[Subscriber] = WeakSet()
        self._seen: int | None = None

    async def subscribe(self) -> Subscriber:
        """Add a reader: it gets what happens from now on.

        Raises:
            StoreError: What happened before could not be written, or not be found.
        """
        await self._core.outbox.flush()
        newest = await self.newest()
        if not self._subscribers:
            self._seen = newest
        subscriber = Subscriber(after=newest)
        self._subscribers.add(subscriber)
        self._core.bus_signal.set()
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a reader."""
        self._subscribers.discard(subscriber)

    def close(self) -> None:
        """Let every reader end."""
        for subscriber in tuple(self._subscribers):
            subscriber.close()

    async def newest(self) -> int:
        """Say the number of the last event that is published."""
        last = await self._core.adapter.read_events(after=None, limit=1)
        return last[-1].seq if last else 0

    async def one_pass(self) -> int | None:
        """Read what is new; say when to look again if nobody tells."""
        if not self._subscribers:
            return None
        core = self._core
        while True:
            seen = self._seen
            assert seen is not None
            events = await core.adapter.read_events(after=seen, limit=READ_BATCH)
            for event in events:
                self._seen = event.seq
                for subscriber in tuple(self._subscribers):
                    subscriber.put(event)
            if len(events) < READ_BATCH:
                break
        return core.clock.monotonic_us() + core.adapter.traits.hint_delay_us_max
