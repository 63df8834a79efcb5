"""The patterns of one started scheduler, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nvent_sched._engine.companions import Companion
    from nvent_sched._engine.core import Core


class Patterns:
    """Made when a scheduler starts, forgotten when it stops.

    Args:
        core: Of the instance they belong to.

    Attributes:
        companions: Their parts in it, for the engine.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.companions: tuple[Companion, ...] = ()
