"""Notice what keeps the event loop or the clock from doing its work.

A handler that computes or blocks inside the event loop stops everything of this
instance, also its heartbeat. A thread watches a mark that the loop moves; when it stands
still, the thread looks at the loop's stack and names the handler. The clocks are
compared as well: wall time that moves otherwise than the monotonic clock means that the
machine slept or somebody set the clock.
"""

from __future__ import annotations

import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Final

from nvent_sched._engine.signals import Signal
from nvent_sched._engine.storetime import JUMP_US
from nvent_sched._logs import logger_of
from nvent_sched._model.events import EventKind
from nvent_sched._model.instants import MILLISECOND_US, SECOND_US

if TYPE_CHECKING:
    from types import CodeType

    from nvent_sched._engine.core import Core

log = logger_of(__name__)
TICK_US: Final = 250 * MILLISECOND_US
BLOCKED_US: Final = SECOND_US


def note_jump(core: Core, jumped_us: int) -> None:
    """Tell of a clock that was set, and let every loop look at it anew."""
    if abs(jumped_us) < JUMP_US:
        return
    seconds = jumped_us / SECOND_US
    log.warning("the clock jumped", extra={"jumped_us": jumped_us})
    core.tell(EventKind.CLOCK_JUMPED, detail=f"by {seconds:+.1f} s")
    for signal in core.jump_signals:
        signal.set()


class LagWatch:
    """Watches one event loop from a thread, while it is entered."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._loop_thread = threading.get_ident()
        self._mark_us = core.clock.monotonic_us()
        self._ended = threading.Event()
        self._blamed: tuple[int, str] | None = None
        self._thread = threading.Thread(
            target=self._watch, name="nvent-lag", daemon=True
        )

    async def run(self) -> None:
        """Move the mark and compare the clocks; ends by cancellation."""
        core = self._core
        self._thread.start()
        try:
            while True:
                before_us = core.clock.monotonic_us()
                drift_us = core.clock.now() - before_us
                self._mark_us = before_us
                await core.clock.wait(Signal(), until_us=before_us + TICK_US)
                now_us = core.clock.monotonic_us()
                self._report_block(before_us, lag_us=now_us - before_us - TICK_US)
                note_jump(core, core.clock.now() - now_us - drift_us)
        finally:
            self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(TICK_US / SECOND_US):
            mark_us = self._mark_us
            lag_us = self._core.clock.monotonic_us() - mark_us - TICK_US
            is_told = self._blamed is not None and self._blamed[0] == mark_us
            if lag_us >= BLOCKED_US and not is_told:
                blamed = self._name_of_blocker()
                self._blamed = (mark_us, blamed)
                log.warning(
                    "the event loop is blocked", extra={"by": blamed, "lag_us": lag_us}
                )

    def _name_of_blocker(self) -> str:
        codes = self._codes()
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001  the only way
        innermost = None
        while frame is not None:
            innermost = innermost or f"{frame.f_code.co_qualname}"
            if frame.f_code in codes:
                return f"handler {codes[frame.f_code]}"
            frame = frame.f_back
        return f"code outside the handlers ({innermost})"

    def _codes(self) -> dict[CodeType, str]:
        """Say which code belongs to which handler."""
        registry = self._core.registry
        codes: dict[CodeType, str] = {}
        for name in registry.names:
            if (handler := registry.get(name)) is not None:
                function = handler.function
                while isinstance(function, partial):
                    function = function.func
                call = getattr(type(function), "__call__", None)  # noqa: B004  its code
                code = getattr(function, "__code__", getattr(call, "__code__", None))
                if code is not None:
                    codes[code] = name
        return codes

    def _report_block(self, mark_us: int, *, lag_us: int) -> None:
        if lag_us < BLOCKED_US:
            return
        seen_us, blamed = self._blamed or (0, "")
        if seen_us != mark_us:
            blamed = "something"
        self._core.tell(
            EventKind.LOOP_BLOCKED, detail=f"for {lag_us / SECOND_US:.1f} s by {blamed}"
        )
