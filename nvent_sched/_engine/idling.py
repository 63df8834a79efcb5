"""Wait in a stop until nothing is going any more, and do not wait for long in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._engine.registry import Executor
from nvent_sched._engine.runner import THREAD_GRACE_US
from nvent_sched._logs import logger_of
from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.spans import us_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._engine.claims import Claim
    from nvent_sched._engine.core import Core

log = logger_of(__name__)
SILENT_US: Final = SECOND_US
"""How long a stop may wait before it says what for: most handlers end sooner."""
NAMED_MAX: Final = 5


async def wait_idle(core: Core, *, until_us: int) -> None:
    """Wait until nothing is going any more; say once for what, if that takes long.

    Args:
        core: The instance.
        until_us: Until when to wait, on the monotonic clock.
    """
    silent_until_us = core.clock.monotonic_us() + SILENT_US
    while core.claims:
        patience_us = min(until_us, silent_until_us)
        if await core.clock.wait(core.idle_signal, until_us=patience_us):
            continue
        if until_us <= silent_until_us:
            return
        left_us = until_us - core.clock.monotonic_us()
        log.warning("stopping: %s", _words(list(core.claims.values()), left_us=left_us))
        silent_until_us = until_us


def _words(claims: Sequence[Claim], *, left_us: int) -> str:
    """Say what is waited for and how long, and how not to."""
    if any(claim.executor is Executor.THREAD for claim in claims):
        left_us += THREAD_GRACE_US
    left_us += -left_us % SECOND_US
    jobs = list(dict.fromkeys(claim.run.job_id for claim in claims))
    names = ", ".join(jobs[:NAMED_MAX]) + (", ..." if len(jobs) > NAMED_MAX else "")
    runs = "1 run is" if len(claims) == 1 else f"{len(claims)} runs are"
    return (
        f"{runs} still going ({names}); waiting for at most {us_words(left_us)} more, "
        "Ctrl-C now stops at once"
    )
