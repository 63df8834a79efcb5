"""A wall clock that somebody set, where it is the store's time: what locks make of it.

By the time that it shows now, the locks that others have may be over, and they have not
noticed yet. So a lock is asked for only after everybody had the time to notice, and to
renew what is had. Only a process that starts within that time cannot know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._engine.lag import TICK_US

if TYPE_CHECKING:
    from nvent_sched._engine.core import Core

NOTICED_US: Final = 2 * TICK_US
"""After how long every instance has noticed that the clock was set, and renewed."""


class SetClock:
    """Notices that the clock was set.

    Attributes:
        ask_from_us: From when on locks may be asked for, on the monotonic clock.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._drift_us = core.time.drift_us()
        self._is_set = False
        self.ask_from_us: int = 0

    def look(self) -> bool:
        """Compare the clocks; say whether to wait before a lock is asked for."""
        core, drift_us = self._core, self._core.time.drift_us()
        now_us = core.clock.monotonic_us()
        is_set = core.time.was_set_since(self._drift_us)
        # Read first: what is set in between is seen the next time.
        self._drift_us = drift_us
        if is_set:
            self._is_set = True
            if not core.adapter.traits.has_own_clock:
                self.ask_from_us = now_us + NOTICED_US
        return now_us < self.ask_from_us

    def take(self) -> bool:
        """Compare the clocks; say, once each time, whether they were set."""
        self.look()
        is_set, self._is_set = self._is_set, False
        return is_set
