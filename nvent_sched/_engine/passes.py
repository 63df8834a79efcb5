"""A loop that survives trouble with the store.

Whatever the store does, a loop re-arms: it tries again after a back-off that grows to a
cap, and `health()` shows what stands in the way and when the last good pass was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._engine.signals import Signal
from nvent_sched._logs import logger_of
from nvent_sched._model.events import EventKind
from nvent_sched._model.instants import MILLISECOND_US, SECOND_US
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched._engine.core import Core

log = logger_of(__name__)
BACKOFF_US: Final = 50 * MILLISECOND_US
BACKOFF_US_MAX: Final = 10 * SECOND_US


async def run_passes(
    core: Core,
    name: str,
    one_pass: Callable[[], Awaitable[int | None]],
    *,
    signal: Signal,
) -> None:
    """Make one pass after another; ends by cancellation.

    Args:
        core: The instance.
        name: Of the loop, for logs and `health()`.
        one_pass: Returns when the next one is due on the monotonic clock, None for
            "only when woken".
        signal: Wakes the loop early.
    """
    failures = 0
    while True:
        try:
            until_us = await one_pass()
        except StoreError as error:
            failures += 1
            until_us = _note_trouble(core, name, error, failures=failures)
            # What woke us may be what the store cannot take: wait it out.
            core.backing_off.add(name)
            try:
                await core.clock.wait(Signal(), until_us=until_us)
            finally:
                core.backing_off.discard(name)
            continue
        if failures:
            log.info("store is back", extra={"loop": name, "failures": failures})
            failures = 0
            core.trouble = None
        core.passed_at_us[name] = core.clock.monotonic_us()
        await core.clock.wait(signal, until_us=until_us)


def _note_trouble(core: Core, name: str, error: StoreError, *, failures: int) -> int:
    core.trouble = f"{type(error).__name__}: {error}"
    log.warning(
        "store trouble, will try again",
        extra={"loop": name, "failures": failures, "error": str(error)},
    )
    if failures == 1:
        core.tell(EventKind.STORE_TROUBLE, detail=f"{name}: {core.trouble}"[:200])
    grown_us = BACKOFF_US << min(failures - 1, 10)
    return core.clock.monotonic_us() + min(grown_us, BACKOFF_US_MAX)
