"""What passes between the engine and a store about locks. Pure.

A lock is a name that at most one holder has at a time. Who wants it asks with a ticket,
new for each time it wants it: asking again with the same ticket is the same wish, so an
answer that was lost can be asked for once more, and a place in the queue is kept by
asking. A hold ends by itself unless it is renewed; a place in the queue does too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import SECOND_US

if TYPE_CHECKING:
    from nvent_sched._model.instants import Instant


ON_ITS_WAY_US_MAX: Final = 60 * SECOND_US
"""A hold that lasts longer than its length by less is no sign of a clock that was set back:
so old may the time of a question be that waited for a busy store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockAsk:
    """A wish to have a lock, from the first question to the release.

    Attributes:
        name: Of the lock.
        ticket: Unique for ever; names this wish.
        holder: Who asks, for people: an instance's id.
        ttl_us: For how long a hold lasts unless it is renewed. Positive.
        place_us: For how long a place in the queue is kept unless it is asked again;
            0 takes no place.
    """

    name: str
    ticket: str
    holder: str
    ttl_us: int
    place_us: int = 0

    def __post_init__(self) -> None:
        assert self.ttl_us > 0
        assert self.place_us >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LockGranted:
    """The ticket has the lock.

    Attributes:
        fence: Higher than every token that was given out before.
        since: When it got it.
    """

    fence: int
    since: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class LockBusy:
    """Somebody else has the lock, or is to have it first.

    Attributes:
        holder: Who has it; empty if it is free and others wait for it.
        since: Since when; None if it is free.
        until: When it may be worth asking again, if nobody tells earlier.
        ahead: How many wait for it before the ticket.
    """

    holder: str
    since: Instant | None
    until: Instant
    ahead: int


LockAnswer = LockGranted | LockBusy


@dataclass(frozen=True, slots=True, kw_only=True)
class LockAnswers:
    """What became of wishes.

    Attributes:
        now: The time the store judged by.
        answers: One for each wish, in order.
    """

    now: Instant
    answers: tuple[LockAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRecord:
    """A lock that somebody has.

    Attributes:
        name: Of the lock.
        holder: Who has it.
        fence: The token of the hold.
        since: When it got it.
        until: When the hold ends unless it is renewed.
        waiters: How many wait for it; one that died is counted until its place ends.
    """

    name: str
    holder: str
    fence: int
    since: Instant
    until: Instant
    waiters: int
