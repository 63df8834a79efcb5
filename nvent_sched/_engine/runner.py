"""One claimed run, from its time to its verdict.

The handler runs in a cancel scope that three things can close: its time limit, somebody's
wish, and the end of our trust in the claim. A plain handler in a thread cannot be
cancelled; it is asked to stop and, when it does not within `THREAD_GRACE_US`, left behind
and said to be.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._engine.calling import TooLateError, call_handler
from nvent_sched._engine.claims import Ended, StopCause
from nvent_sched._engine.context import RunContext
from nvent_sched._engine.endings import Returned
from nvent_sched._engine.hanging import break_off
from nvent_sched._engine.registry import Executor
from nvent_sched._logs import logger_of
from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.runs import Outcome
from nvent_sched._model.spans import us_words
from nvent_sched._rules.settling import hand_back, settle_unstarted

if TYPE_CHECKING:
    from nvent_sched._engine.claims import Claim
    from nvent_sched._engine.core import Core
    from nvent_sched._engine.deadlines import Deadline
    from nvent_sched._engine.registry import Handler

log = logger_of(__name__)
THREAD_GRACE_US: Final = 5 * SECOND_US
THREAD_HASTE_US: Final = SECOND_US // 2
"""The same in a stop at once: a person waits at the keyboard."""


async def run_claim(core: Core, claim: Claim, gate: anyio.Event | None) -> None:
    """Run one claim to its end.

    Args:
        core: The instance.
        claim: What to run.
        gate: Is opened when its time comes; None if it has come. All that can be done
            before is done before: many may wait at one gate.
    """
    handler = core.registry.get(claim.run.handler)
    assert handler is not None
    returned = None
    scope = core.scopes[claim] = anyio.CancelScope()
    try:
        with scope:
            if not await _begun(core, claim, gate):
                return
            returned = await _call(core, claim, handler, scope=scope)
    except BaseException:
        # Cancelled from outside our scope, which may have been cancelled as well: the
        # engine is going down at once.
        if claim.context is not None:
            if claim.stop_cause is None:
                claim.stop_cause = StopCause.STOPPING
            _end(core, claim, Returned(outcome=Outcome.CANCELLED))
        raise
    finally:
        del core.scopes[claim]
    if claim.context is None:
        return  # broken off while it waited for its time: it was given back
    if returned is None:
        returned = _broken_off(claim, handler)
    _end(core, claim, returned)


async def _begun(core: Core, claim: Claim, gate: anyio.Event | None) -> bool:
    """Wait for the time of a claim, and say that its handler begins if it still may."""
    context = RunContext(claim.run, on_progress=core.note_progress)
    if gate is not None and claim.run.id in core.unstarted:
        await gate.wait()
    if not _may_begin(core, claim):
        return False
    claim.context = context
    for follower in core.followers:
        follower.run_began(claim)
    core.outbox.note_start(claim)
    core.liveness_signal.set()
    return True


async def _call(
    core: Core, claim: Claim, handler: Handler, *, scope: anyio.CancelScope
) -> Returned:
    assert claim.context is not None
    deadlines = _arm(core, claim, scope)
    try:
        return await call_handler(
            handler,
            claim.context,
            payload=claim.run.payload,
            is_trusted=partial(_is_trusted, core, claim),
            threads=core.threads,
            processes=core.processes,
        )
    except TooLateError:
        claim.stop(StopCause.UNTRUSTED, reason="its thread came to it too late")
        return Returned(outcome=Outcome.CANCELLED)
    finally:
        claim.interrupt = None
        for deadline in deadlines:
            deadline.call_off()


def _end(core: Core, claim: Claim, returned: Returned) -> None:
    now = core.time.now()
    core.outbox.note_end(Ended(claim, returned, now, claim.stop_cause))


def _may_begin(core: Core, claim: Claim) -> bool:
    """Give a claim back that is not ours to act on any more, or too late to begin."""
    run = claim.run
    if core.unstarted.get(run.id) is not claim:
        return False
    del core.unstarted[run.id]
    if not _is_trusted(core, claim):
        core.outbox.settle(hand_back(run), policies=claim.policies, claim=claim)
        return False
    now = core.time.now()
    verdict = settle_unstarted(
        run, policies=claim.policies, retention=core.options.retention, now=now
    )
    if verdict is not None:
        core.outbox.settle(verdict, policies=claim.policies, claim=claim)
        return False
    claim.started_at = now
    return True


def _is_trusted(core: Core, claim: Claim) -> bool:
    return core.clock.monotonic_us() < core.trusted_until_us(claim)


def _arm(core: Core, claim: Claim, scope: anyio.CancelScope) -> list[Deadline]:
    """Let the time limit and whoever stops the claim end the handler."""
    armed: list[Deadline] = []
    timeout_us = claim.policies.timeout_us
    if timeout_us is not None:
        at_us = core.clock.monotonic_us() + timeout_us
        time_out = partial(_time_out, claim, timeout_us)
        armed.append(core.deadlines.add(at_us=at_us, act=time_out))
    if claim.executor is Executor.THREAD:
        claim.interrupt = partial(_let_go, core, scope, armed)
    else:
        claim.interrupt = partial(break_off, core, claim, armed)
    return armed


def _let_go(core: Core, scope: anyio.CancelScope, armed: list[Deadline]) -> None:
    """Leave a thread behind that does not stop within its grace."""
    until_us = core.clock.monotonic_us() + THREAD_GRACE_US
    armed.append(core.deadlines.add(at_us=until_us, act=scope.cancel))


def _time_out(claim: Claim, timeout_us: int) -> None:
    reason = f"it took longer than its limit of {us_words(timeout_us)}"
    claim.stop(StopCause.TIMED_OUT, reason=reason)


def _broken_off(claim: Claim, handler: Handler) -> Returned:
    """Say how a handler ended that our scope cancelled."""
    remark = None
    if handler.executor is Executor.THREAD:
        remark = "its thread did not stop when asked and was left behind"
        log.warning("a thread was left behind", extra={"run_id": claim.run.id})
    return Returned(outcome=Outcome.CANCELLED, reason=remark)
