"""The patterns of one started scheduler, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched.patterns.triggers import Triggers
from nvent_sched.patterns.watchdogs import Watchdogs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvent_sched._engine.companions import Companion
    from nvent_sched._engine.core import Core
    from nvent_sched._model.jobs import JobDefinition


class Patterns:
    """Made when a scheduler starts, forgotten when it stops.

    Args:
        core: Of the instance they belong to.

    Attributes:
        companions: Their parts in it, for the engine.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.watchdogs = Watchdogs(core)
        self.triggers = Triggers(core)
        self.companions: tuple[Companion, ...] = (self.watchdogs, self.triggers)

    async def begin(self, declared: Iterable[JobDefinition]) -> None:
        """Deal with what was left behind, before anything fires.

        Args:
            declared: What the code declares; it is stored.
        """
        self.triggers.note_declared(declared)
        raised = await self.watchdogs.raise_for_the_dead()
        if raised:
            self.core.found["watchdogs stalled"] += raised
