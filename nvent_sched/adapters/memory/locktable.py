"""Locks in memory: who has one, and who waits for it. Knows no lock of threads, no loop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from nvent_sched._model.claims import STALE, STORED
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.locks import (
    ON_ITS_WAY_US_MAX,
    LockAnswer,
    LockAsk,
    LockBusy,
    LockGranted,
    LockRecord,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._model.claims import Verdict

ENDED_KEPT_US: Final = 7 * 24 * 3600 * SECOND_US
"""How long a hold that ended can still be renewed if nobody else wanted the lock."""
_by_end: Final = attrgetter("until", "ask.name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Who has a lock."""

    ask: LockAsk
    fence: int
    since: Instant
    until: Instant


class LockTable:
    """Holds by name, and queues by name: tickets in order, with the end of each place."""

    def __init__(self) -> None:
        self.holds: dict[str, Hold] = {}
        self.queues: dict[str, dict[str, Instant]] = {}

    def sweep(self, *, now: Instant) -> None:
        """Forget places that ended, and holds that ended long ago."""
        for name, queue in list(self.queues.items()):
            for ticket in [each for each, until in queue.items() if until <= now]:
                self._leave(name, ticket)
        ended = [
            name
            for name, hold in self.holds.items()
            if hold.until <= now - ENDED_KEPT_US
        ]
        for name in ended:
            del self.holds[name]

    def acquire(
        self, ask: LockAsk, *, now: Instant, next_fence: Callable[[], int]
    ) -> LockAnswer:
        """Give a lock to a ticket whose turn it is; queue it otherwise."""
        hold, until = self._hold(ask.name, now=now), Instant(now + ask.ttl_us)
        if hold is not None and hold.ask.ticket == ask.ticket:
            self.holds[ask.name] = replace(hold, until=until)
            return LockGranted(fence=hold.fence, since=hold.since)
        queue = self._queue(ask, now=now)
        if hold is None and next(iter(queue), ask.ticket) == ask.ticket:
            self._leave(ask.name, ask.ticket)
            hold = Hold(ask=ask, fence=next_fence(), since=now, until=until)
            self.holds[ask.name] = hold
            return LockGranted(fence=hold.fence, since=now)
        tickets = list(queue)
        return LockBusy(
            holder="" if hold is None else hold.ask.holder,
            since=None if hold is None else hold.since,
            until=queue[tickets[0]] if hold is None else hold.until,
            ahead=tickets.index(ask.ticket) if ask.ticket in queue else len(tickets),
        )

    def _hold(self, name: str, *, now: Instant) -> Hold | None:
        """Say who has a lock; None if it is free."""
        hold = self.holds.get(name)
        if hold is None or hold.until <= now:
            return None
        longest = Instant(now + hold.ask.ttl_us)
        if hold.until > longest + ON_ITS_WAY_US_MAX:
            hold = self.holds[name] = replace(hold, until=longest)
        return hold

    def _queue(self, ask: LockAsk, *, now: Instant) -> dict[str, Instant]:
        """Say who waits for a lock, with the place of this ticket if it wants one."""
        if ask.place_us:
            longest = Instant(now + ask.place_us)
            queue = self.queues.setdefault(ask.name, {})
            for ticket, until in queue.items():
                queue[ticket] = min(until, longest)
            queue[ask.ticket] = longest
        return self.queues.get(ask.name, {})

    def _leave(self, name: str, ticket: str) -> bool:
        queue = self.queues.get(name, {})
        was_there = queue.pop(ticket, None) is not None
        if was_there and not queue:
            del self.queues[name]
        return was_there

    def renew(self, ask: LockAsk, *, now: Instant) -> Verdict:
        """Extend a hold that is still the ticket's."""
        hold = self.holds.get(ask.name)
        if hold is None or hold.ask.ticket != ask.ticket:
            return STALE
        self.holds[ask.name] = replace(hold, until=Instant(now + ask.ttl_us))
        return STORED

    def release(self, ask: LockAsk) -> bool:
        """Forget a ticket; say whether that matters to anybody."""
        hold = self.holds.get(ask.name)
        was_held = hold is not None and hold.ask.ticket == ask.ticket
        if was_held:
            del self.holds[ask.name]
        was_queued = self._leave(ask.name, ask.ticket)
        return (was_held or was_queued) and ask.name in self.queues

    def listed(self, *, now: Instant, limit: int) -> tuple[LockRecord, ...]:
        """List who has what, those that end first before others."""
        going = (hold for hold in self.holds.values() if hold.until > now)
        return tuple(
            LockRecord(
                name=hold.ask.name,
                holder=hold.ask.holder,
                fence=hold.fence,
                since=hold.since,
                until=hold.until,
                waiters=len(self.queues.get(hold.ask.name, ())),
            )
            for hold in sorted(going, key=_by_end)[:limit]
        )
