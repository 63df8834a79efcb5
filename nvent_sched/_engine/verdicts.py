"""The verdict on a run whose handler ended.

It is reached when it is about to be written, not when the handler ends: of many handlers
that are due at one moment, none waits for the verdict on another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._engine.claims import StopCause
from nvent_sched._logs import logger_of
from nvent_sched._model.runs import Outcome
from nvent_sched._rules.settling import Ending, settle_attempt, settle_interrupted
from nvent_sched._tracebacks import error_line

if TYPE_CHECKING:
    from nvent_sched._engine.claims import Ended
    from nvent_sched._model.claims import Settlement
    from nvent_sched._rules.retention import Retention

log = logger_of(__name__)
TIMEOUT_KINDS: Final = (
    "builtins.TimeoutError",
    "builtins.OSError",
    "builtins.Exception",
)


def verdict_on(ended: Ended, *, retention: Retention) -> Settlement:
    """Turn what happened into a verdict."""
    claim, ending = ended.claim, _ending(ended)
    match ended.stop_cause:
        case StopCause.UNTRUSTED:
            # Others may own it already: the store decides by the fence.
            settle = settle_interrupted
        case StopCause.STOPPING if ended.returned.outcome is not Outcome.SUCCEEDED:
            settle = settle_interrupted
        case _:
            settle = settle_attempt
    return settle(claim.run, ending, policies=claim.policies, retention=retention)


def _ending(ended: Ended) -> Ending:
    claim, returned = ended.claim, ended.returned
    context = claim.context
    assert context is not None
    outcome, kinds, reason = returned.outcome, returned.kinds, returned.reason
    if outcome is not Outcome.SUCCEEDED and ended.stop_cause is not None:
        reason = "; ".join(filter(None, (context.cancel_reason, returned.reason)))
        outcome = Outcome.CANCELLED
        if ended.stop_cause is StopCause.TIMED_OUT:
            outcome, kinds = Outcome.TIMED_OUT, TIMEOUT_KINDS
    if outcome is Outcome.FAILED:
        facts = {
            "run_id": claim.run.id,
            "job_id": claim.run.job_id,
            "attempt": claim.run.attempt,
            "error": error_line(returned.error) or reason,
        }
        log.warning("run failed", extra=facts)
    return Ending(
        outcome=outcome,
        started_at=claim.started_at,
        ended_at=ended.at,
        kinds=kinds,
        reason=reason or None,
        error=returned.error,
        result=returned.result,
        log=context.lines,
        progress=context.progress_share,
        progress_note=context.progress_note,
    )
