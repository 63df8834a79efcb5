"""A run that is ours, from the claim to the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._engine.context import RunContext
    from nvent_sched._engine.endings import Returned
    from nvent_sched._engine.registry import Executor
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.policies import Policies
    from nvent_sched._model.runs import Run


class StopCause(StrEnum):
    """Why we stop a handler before it ended by itself."""

    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    UNTRUSTED = "untrusted"
    STOPPING = "stopping"


@dataclass(slots=True, eq=False)
class Claim:
    """A run that is ours, from the claim until it is settled.

    Attributes:
        run: As claimed, with its fence.
        policies: Of its job, as they were when it was claimed.
        executor: Which slots it takes.
        asked_at_us: When the claim, or its last renewal, was asked for; monotonic.
        started_at: When the handler began, by the store's clock; None before.
        context: What the handler sees; None before it starts.
        interrupt: Breaks the handler off, or lets go of its thread.
        stop_cause: Why we stop it, if we do.
        broken_off_at_us: When its async handler was cancelled, if it was; monotonic.
        is_reported: The store knows that the handler began.
        is_ended: Its verdict is on its way: a renewal that comes after it is stale.
        is_released: It takes no slot any more.
    """

    run: Run
    policies: Policies
    executor: Executor
    asked_at_us: int
    started_at: Instant | None = None
    context: RunContext | None = None
    interrupt: Callable[[], None] | None = None
    stop_cause: StopCause | None = None
    broken_off_at_us: int | None = None
    is_reported: bool = False
    is_ended: bool = False
    is_released: bool = False

    def stop(self, cause: StopCause, *, reason: str) -> None:
        """Ask the handler to stop; the first cause stays."""
        if self.stop_cause is None:
            self.stop_cause = cause
        if self.context is not None:
            self.context.request_stop(reason, is_lost=cause is StopCause.UNTRUSTED)
        if self.interrupt is not None:
            self.interrupt()


class Ended(NamedTuple):
    """A claim whose handler ended, as things were at that moment.

    Attributes:
        at: When, by the store's clock.
        stop_cause: Why it had been stopped, if it had: what comes later changes nothing.
    """

    claim: Claim
    returned: Returned
    at: Instant
    stop_cause: StopCause | None
