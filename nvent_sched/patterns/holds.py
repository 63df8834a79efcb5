"""What one instance has, or wants, of one lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._engine.signals import Signal
from nvent_sched._rules.locking import held_until_us, renew_at_us
from nvent_sched.errors import LockLostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._engine.core import Core
    from nvent_sched._engine.deadlines import Deadline
    from nvent_sched._model.locks import LockAsk, LockBusy

TOO_LATE: Final = "it could not be renewed in time"


class Hold:
    """A lock that we have, or had.

    Attributes:
        ask: What it was asked for with.
        fence: The fencing token.
        asked_at_us: When it was last asked for or renewed, as far as that was answered.
        lost: Why we have it no more; None as long as we do.
    """

    def __init__(
        self, core: Core, ask: LockAsk, *, fence: int, asked_at_us: int
    ) -> None:
        self._clock = core.clock
        self.ask: LockAsk = ask
        self.fence: int = fence
        self.asked_at_us: int = asked_at_us
        self.lost: str | None = None
        self.on_lost: Callable[[], None] | None = None
        self.trust: Deadline | None = None

    @property
    def until_us(self) -> int:
        """Until when we may act on it, on the monotonic clock."""
        return held_until_us(asked_at_us=self.asked_at_us, ttl_us=self.ask.ttl_us)

    @property
    def renew_at_us(self) -> int:
        """When to renew it, on the monotonic clock."""
        return renew_at_us(asked_at_us=self.asked_at_us, ttl_us=self.ask.ttl_us)

    @property
    def error(self) -> LockLostError | None:
        """Say why it must not be acted on; None if it may. From any thread."""
        reason = self.lost
        if reason is None and self._clock.monotonic_us() >= self.until_us:
            reason = TOO_LATE
        if reason is None:
            return None
        return LockLostError(name=self.ask.name, fence=self.fence, reason=reason)


class Wish:
    """A lock that somebody here waits for.

    Attributes:
        ask_at_us: When to ask again, on the monotonic clock.
        hold: What it became.
        is_hurried: Somebody here gave the lock back while it was being asked for.
    """

    def __init__(self, ask: LockAsk, *, ask_at_us: int) -> None:
        self.ask: LockAsk = ask
        self.ask_at_us: int = ask_at_us
        self.busy: LockBusy | None = None
        self.is_hurried: bool = False
        self.hold: Hold | None = None
        self.signal: Signal = Signal()
