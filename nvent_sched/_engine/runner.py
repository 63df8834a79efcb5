"""One claimed run, from its time to its verdict.

The handler runs in a cancel scope that three things can close: its time limit, somebody's
wish, and the end of our trust in the claim. A plain handler in a thread cannot be
cancelled; it is asked to stop and, when it does not within `THREAD_GRACE_US`, left behind
and said to be.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._engine.calling import call_handler
from nvent_sched._engine.context import RunContext
from nvent_sched._engine.core import StopCause
from nvent_sched._engine.endings import Returned
from nvent_sched._engine.registry import Executor
from nvent_sched._model.events import EventKind
from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.runs import Outcome
from nvent_sched._rules.settling import (
    Ending,
    hand_back,
    settle_attempt,
    settle_interrupted,
    settle_unstarted,
)

if TYPE_CHECKING:
    from nvent_sched._engine.core import Claim, Core
    from nvent_sched._engine.deadlines import Deadline
    from nvent_sched._engine.registry import Handler

log = logging.getLogger(__name__)
THREAD_GRACE_US: Final = 5 * SECOND_US
TIMEOUT_KINDS: Final = (
    "builtins.TimeoutError",
    "builtins.OSError",
    "builtins.Exception",
)


async def run_claim(core: Core, claim: Claim) -> None:
    """Run one claim to its verdict."""
    if not _may_begin(core, claim):
        return
    handler = core.registry.get(claim.run.handler)
    assert handler is not None
    context = RunContext(claim.run, on_progress=core.note_progress)
    claim.context = context
    claim.started_at = core.time.now()
    core.tell(EventKind.RUN_STARTED, job_id=claim.run.job_id, run_id=claim.run.id)
    core.liveness_signal.set()
    try:
        with anyio.CancelScope() as scope:
            deadlines = _arm(core, claim, scope)
            try:
                returned = await call_handler(
                    handler,
                    context,
                    payload=claim.run.payload,
                    threads=core.threads,
                    processes=core.processes,
                )
            finally:
                claim.interrupt = None
                for deadline in deadlines:
                    deadline.call_off()
    except BaseException:
        # Cancelled from outside our scope, which may have been cancelled as well: the
        # engine is going down at once.
        _settle_broken_off(core, claim)
        raise
    if scope.cancelled_caught:
        returned = _broken_off(claim, handler)
    _settle(core, claim, returned)


def _may_begin(core: Core, claim: Claim) -> bool:
    """Give a claim back that is not ours to act on any more, or too late to begin."""
    core.unstarted.pop(claim.run.id, None)
    if core.clock.monotonic_us() >= core.trusted_until_us(claim):
        core.outbox.settle(hand_back(claim.run), policies=claim.policies, claim=claim)
        return False
    verdict = settle_unstarted(
        claim.run,
        policies=claim.policies,
        retention=core.options.retention,
        now=core.time.now(),
    )
    if verdict is not None:
        core.outbox.settle(verdict, policies=claim.policies, claim=claim)
        return False
    return True


def _arm(core: Core, claim: Claim, scope: anyio.CancelScope) -> list[Deadline]:
    """Let the time limit and the end of trust stop the handler."""
    armed: list[Deadline] = []

    def let_go() -> None:
        until_us = core.clock.monotonic_us() + THREAD_GRACE_US
        armed.append(core.deadlines.add(at_us=until_us, act=scope.cancel))

    is_thread = claim.executor is Executor.THREAD
    claim.interrupt = let_go if is_thread else scope.cancel
    timeout_us = claim.policies.timeout_us
    if timeout_us is not None:

        def time_out() -> None:
            reason = f"it took longer than its limit of {timeout_us} us"
            claim.stop(StopCause.TIMED_OUT, reason=reason)

        at_us = core.clock.monotonic_us() + timeout_us
        armed.append(core.deadlines.add(at_us=at_us, act=time_out))
    return armed


def _broken_off(claim: Claim, handler: Handler) -> Returned:
    """Say how a handler ended that our scope cancelled."""
    remark = None
    if handler.executor is Executor.THREAD:
        remark = "its thread did not stop when asked and was left behind"
        log.warning("a thread was left behind", extra={"run_id": claim.run.id})
    return Returned(outcome=Outcome.CANCELLED, reason=remark)


def _settle_broken_off(core: Core, claim: Claim) -> None:
    if claim.stop_cause is None:
        claim.stop_cause = StopCause.STOPPING
    _settle(core, claim, Returned(outcome=Outcome.CANCELLED))


def _settle(core: Core, claim: Claim, returned: Returned) -> None:
    """Turn what happened into a verdict."""
    ending = _ending(core, claim, returned)
    retention = core.options.retention
    match claim.stop_cause:
        case StopCause.UNTRUSTED:
            # Others may own it already: the store decides by the fence.
            verdict = settle_interrupted(
                claim.run, ending, policies=claim.policies, retention=retention
            )
        case StopCause.STOPPING if returned.outcome is not Outcome.SUCCEEDED:
            verdict = settle_interrupted(
                claim.run, ending, policies=claim.policies, retention=retention
            )
        case _:
            verdict = settle_attempt(
                claim.run, ending, policies=claim.policies, retention=retention
            )
    if ending.outcome is Outcome.FAILED:
        log.warning(
            "run failed",
            extra={"run_id": claim.run.id, "job_id": claim.run.job_id},
        )
    core.outbox.settle(verdict, policies=claim.policies, claim=claim)


def _ending(core: Core, claim: Claim, returned: Returned) -> Ending:
    context = claim.context
    assert context is not None
    outcome, kinds, reason = returned.outcome, returned.kinds, returned.reason
    if outcome is not Outcome.SUCCEEDED and claim.stop_cause is not None:
        reason = "; ".join(filter(None, (context.cancel_reason, returned.reason)))
        outcome = Outcome.CANCELLED
        if claim.stop_cause is StopCause.TIMED_OUT:
            outcome, kinds = Outcome.TIMED_OUT, TIMEOUT_KINDS
    return Ending(
        outcome=outcome,
        started_at=claim.started_at,
        ended_at=core.time.now(),
        kinds=kinds,
        reason=reason or None,
        error=returned.error,
        result=returned.result,
        log=context.lines,
        progress=context.progress_share,
        progress_note=context.progress_note,
    )
