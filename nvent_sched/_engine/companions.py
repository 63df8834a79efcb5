"""Who lives beside the loops of one instance: patterns that are built on jobs.

The engine starts and ends companions, tells followers what happens in its instance, and
knows nothing else of either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvent_sched._engine.claims import Claim
    from nvent_sched._engine.registry import Handler
    from nvent_sched._engine.signals import Signal
    from nvent_sched._model.claims import DueJob


class Companion(Protocol):
    """A pattern's part in one instance.

    Attributes:
        name: Of its loop, for logs and `health()`.
        signal: Wakes its loop; also set when the clock jumped.
    """

    name: str
    signal: Signal

    def handlers(self) -> Iterable[Handler]:
        """Name what its jobs call, before anything fires."""
        ...

    async def one_pass(self) -> int | None:
        """Make one pass; say when the next is due on the monotonic clock."""
        ...

    def close(self) -> None:
        """Let go of who waits here: the instance has stopped. Idempotent."""
        ...


class Follower(Protocol):
    """Who is told what happens in one instance. Nothing here may raise but `spare`."""

    def run_began(self, claim: Claim) -> None:
        """Hear that a handler begins."""
        ...

    def run_spoke(self, run_id: str) -> None:
        """Hear that a handler gave a sign of life; called from any thread."""
        ...

    def run_ended(self, claim: Claim) -> None:
        """Hear that a claim was let go of, begun or not."""
        ...

    def instances_died(self, instance_ids: Sequence[str]) -> None:
        """Hear which instances this one found dead."""
        ...

    async def spare(self, due: Sequence[DueJob]) -> frozenset[str]:
        """Say which jobs are not due after all: they were just moved.

        Raises:
            StoreError: They could not be; the planner will ask again.
        """
        ...
