"""A wake-up for one waiting loop. Setting it twice wakes once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import current_token

if TYPE_CHECKING:
    from collections.abc import Callable


class Signal:
    """Set by anybody in the loop's thread, waited for by one task, cleared by it."""

    __slots__ = ("_event", "_is_set")

    def __init__(self) -> None:
        self._event: anyio.Event | None = None
        self._is_set = False

    def set(self) -> None:
        """Wake the waiter, now or when it next waits."""
        self._is_set = True
        if self._event is not None:
            self._event.set()

    async def wait(self) -> None:
        """Return once it was set, and clear it."""
        if not self._is_set:
            self._event = anyio.Event()
            try:
                await self._event.wait()
            finally:
                self._event = None
        self._is_set = False


def into_this_loop() -> Callable[[Callable[[], object]], None]:
    """Say how to have something called in the running loop, from any thread.

    It is called soon, and nobody waits for it; never, if the loop has ended.
    """
    loop: Any = current_token().native_token
    # What both kinds of loop have for this goes by two names.
    soon = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon

    def call(function: Callable[[], object]) -> None:
        try:
            soon(function)
        except RuntimeError:
            # The loop is gone, and its scheduler with it: there is nobody to call.
            return

    return call


def from_any_thread(signal: Signal) -> Callable[[], None]:
    """Say how to set a signal of the running loop from any thread, without waiting."""
    call = into_this_loop()

    def wake() -> None:
        call(signal.set)

    return wake
