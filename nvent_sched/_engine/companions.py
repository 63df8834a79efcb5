"""Who lives beside the loops of one instance: patterns that are built on jobs.

The engine starts and ends them and knows nothing else of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvent_sched._engine.registry import Handler
    from nvent_sched._engine.signals import Signal


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
