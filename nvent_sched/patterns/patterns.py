"""The patterns of one started scheduler, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._logs import logger_of
from nvent_sched.errors import StoreError
from nvent_sched.patterns.awaits import Awaits
from nvent_sched.patterns.locks import Locks
from nvent_sched.patterns.triggers import Triggers
from nvent_sched.patterns.watchdogs import Watchdogs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvent_sched._engine.companions import Companion
    from nvent_sched._engine.core import Core
    from nvent_sched._engine.lastwords import LastWords
    from nvent_sched._model.jobs import JobDefinition

log: Final = logger_of(__name__)


class Patterns:
    """Made when a scheduler starts, forgotten when it stops.

    Args:
        core: Of the instance they belong to.

    Attributes:
        companions: Their parts in it, for the engine.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.awaits: Awaits = Awaits(core)
        self.locks: Locks = Locks(core)
        self.watchdogs: Watchdogs = Watchdogs(core)
        self.triggers: Triggers = Triggers(core)
        self.companions: tuple[Companion, ...] = (
            self.awaits.records.waits,
            self.awaits.records,
            self.locks,
            self.watchdogs,
            self.triggers,
        )

    async def begin(self, declared: Iterable[JobDefinition]) -> None:
        """Deal with what was left behind, before anything fires.

        Args:
            declared: What the code declares; it is stored.
        """
        self.triggers.note_declared(declared)
        raised = await self.watchdogs.raise_for_the_dead()
        if raised:
            self.core.found["watchdogs stalled"] += raised

    async def end(self, last_words: LastWords) -> None:
        """Write what is left, once the loops have ended and before the store closes."""
        with anyio.CancelScope(shield=True):
            try:
                await last_words.say(self._flush)
            except StoreError as error:
                # A planner finishes what we could not, and what is held ends by itself.
                log.warning("left some waits, locks or signs behind: %s", error)

    async def _flush(self) -> None:
        await self.awaits.records.flush()
        await self.locks.flush()
        await self.watchdogs.flush()
