"""Handlers that do not end although they were cancelled.

An async handler that swallows its cancellation, or waits behind a shield, can be ended by
nothing but the end of its process: a task cannot be left behind as a thread can. So it is
told of, by whom it hangs, for as long as it does.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from nvent_sched._logs import logger_of
from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.spans import us_words

if TYPE_CHECKING:
    from nvent_sched._engine.claims import Claim
    from nvent_sched._engine.core import Core
    from nvent_sched._engine.deadlines import Deadline

log = logger_of(__name__)
HANGING_US: Final = 5 * SECOND_US
"""How long a handler may take to heed its cancellation."""
REMINDER_US: Final = 60 * SECOND_US


def break_off(core: Core, claim: Claim, armed: list[Deadline]) -> None:
    """Cancel an async handler, and tell of it for as long as it does not end."""
    core.scopes[claim].cancel()
    if claim.broken_off_at_us is None:
        claim.broken_off_at_us = core.clock.monotonic_us()
        _tell_later(core, claim, armed, after_us=HANGING_US)


def _tell_later(
    core: Core, claim: Claim, armed: list[Deadline], *, after_us: int
) -> None:
    at_us = core.clock.monotonic_us() + after_us
    tell = partial(_tell, core, claim, armed)
    armed.append(core.deadlines.add(at_us=at_us, act=tell))


def _tell(core: Core, claim: Claim, armed: list[Deadline]) -> None:
    log.warning("%s", _words(claim, now_us=core.clock.monotonic_us()))
    armed.pop()  # this one: nothing is armed after it
    _tell_later(core, claim, armed, after_us=REMINDER_US)


def hanging(core: Core) -> list[str]:
    """Say which handlers of an instance hang; from any thread."""
    now_us = core.clock.monotonic_us()
    return [
        _words(claim, now_us=now_us)
        for claim in list(core.scopes)
        if claim.broken_off_at_us is not None
        and now_us - claim.broken_off_at_us >= HANGING_US
    ]


def _words(claim: Claim, *, now_us: int) -> str:
    assert claim.broken_off_at_us is not None
    assert claim.context is not None
    since = us_words(now_us - claim.broken_off_at_us)
    return (
        f"run {claim.run.id!r} of job {claim.run.job_id!r} does not end, although it was "
        f"cancelled {since} ago: {claim.context.cancel_reason}"
    )
