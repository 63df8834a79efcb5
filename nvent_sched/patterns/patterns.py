"""The patterns of one started scheduler, in one place."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from nvent_sched.errors import StoreError
from nvent_sched.patterns.awaits import Awaits
from nvent_sched.patterns.locks import Locks

if TYPE_CHECKING:
    from nvent_sched._engine.companions import Companion
    from nvent_sched._engine.core import Core

log = logging.getLogger(__name__)


class Patterns:
    """Made when a scheduler starts, forgotten when it stops.

    Args:
        core: Of the instance they belong to.

    Attributes:
        companions: Their parts in it, for the engine.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.awaits = Awaits(core)
        self.locks = Locks(core)
        self.companions: tuple[Companion, ...] = (
            self.awaits.records.waits,
            self.awaits.records,
            self.locks,
        )

    async def end(self) -> None:
        """Write what is left, once the loops have ended and before the store closes."""
        with anyio.CancelScope(shield=True):
            try:
                await self.awaits.records.flush()
                await self.locks.flush()
            except StoreError as error:
                # A planner finishes what we could not, and what is held ends by itself.
                log.warning("left some waits or locks behind: %s", error)
