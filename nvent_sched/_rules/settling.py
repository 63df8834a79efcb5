"""What becomes of a run after an attempt: it ends, or there is another. Pure.

Three things end an attempt: the handler (`settle_attempt`), the instance giving it back
(`hand_back`), and the instance dying with it (`losing`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvent_sched._model.claims import Settlement
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.policies import Misfire, OnLost
from nvent_sched._model.runs import (
    ATTEMPTS_KEPT_MAX,
    Attempt,
    Origin,
    Outcome,
    Run,
)
from nvent_sched._model.spans import us_words
from nvent_sched._model.statistics import Tally
from nvent_sched._model.values import changed, quick
from nvent_sched._rules.lifecycle import RunMove, advance
from nvent_sched._rules.retries import (
    is_worth_retrying,
    retry_delay_us,
)
from nvent_sched._rules.tallying import tally_of
from nvent_sched._tracebacks import error_line

if TYPE_CHECKING:
    from nvent_sched._model.policies import Policies
    from nvent_sched._rules.retention import Retention

RETRIED = frozenset({Outcome.FAILED, Outcome.TIMED_OUT})

UNCONFIRMED_US: Final = SECOND_US
"""The wait before a claim that could not be made safe is tried again."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the handler ended.

    Attributes:
        kinds: Dotted names of the error's class and its bases; empty without error.
        reason: Why, where the outcome alone does not say.
    """

    outcome: Outcome
    started_at: Instant | None
    ended_at: Instant
    kinds: tuple[str, ...] = ()
    reason: str | None = None
    error: str | None = None
    result: str | None = None
    log: tuple[str, ...] = ()
    progress: float | None = None
    progress_note: str | None = None


def settle_attempt(
    run: Run, ending: Ending, *, policies: Policies, retention: Retention
) -> Settlement:
    """Decide what follows an attempt that this instance made.

    Args:
        run: As claimed.
        ending: How the handler ended.
        policies: The job's, for retries.
        retention: How long the record is kept.
    """
    if ending.outcome in RETRIED and is_worth_retrying(
        policies.retry, attempt=run.attempt, kinds=ending.kinds
    ):
        return _again(run, ending, policies=policies)
    ended = changed(
        run,
        state=advance(run.state, RunMove.END),
        lease_until=None,
        started_at=ending.started_at,
        finished_at=ending.ended_at,
        outcome=ending.outcome,
        reason=ending.reason,
        error=ending.error,
        result=ending.result,
        log=ending.log,
        progress=ending.progress,
        progress_note=ending.progress_note,
        keep_until=retention.keep_until(ending.outcome, ended_at=ending.ended_at),
    )
    return Settlement(
        run=ended,
        seen_state=run.state,
        seen_fence=run.fence,
        tally=tally_of(ended),
    )


def _again(run: Run, ending: Ending, *, policies: Policies) -> Settlement:
    delay_us = retry_delay_us(policies.retry, attempt=run.attempt, run_id=run.id)
    again = changed(
        released(run, ready_at=Instant(ending.ended_at + delay_us)),
        attempt=run.attempt + 1,
        started_at=ending.started_at,
        error=ending.error,
        log=ending.log,
        attempts=kept(run, ending.outcome, ending=ending),
    )
    return Settlement(
        run=again,
        seen_state=run.state,
        seen_fence=run.fence,
        tally=Tally(
            job_id=run.job_id,
            outcome=None,
            finished_at=ending.ended_at,
            error=error_line(ending.error),
        ),
    )


def released(run: Run, *, ready_at: Instant) -> Run:
    return changed(
        run,
        state=advance(run.state, RunMove.AGAIN),
        ready_at=ready_at,
        instance=None,
        lease_until=None,
        started_at=None,
        progress=None,
        progress_note=None,
    )


def begun_at(run: Run) -> Instant | None:
    """Say when the handler began in this attempt, as far as the store knows.

    A run that waited for another attempt still shows when the one before began.
    """
    if run.attempts and run.attempts[-1].started_at == run.started_at:
        return None
    return run.started_at


def kept(run: Run, outcome: Outcome, *, ending: Ending) -> tuple[Attempt, ...]:
    made = Attempt(
        number=run.attempt,
        outcome=outcome,
        instance=run.instance,
        started_at=ending.started_at,
        ended_at=ending.ended_at,
        error=ending.error or ending.reason,
    )
    return (*run.attempts, made)[-ATTEMPTS_KEPT_MAX:]


def hand_back(run: Run) -> Settlement:
    """Give a claim back that was never acted on: as if it had not been claimed."""
    return Settlement(
        run=released(run, ready_at=run.ready_at),
        seen_state=run.state,
        seen_fence=run.fence,
    )


def settle_unconfirmed(run: Run, *, now: Instant) -> Settlement:
    """Give a claim back that might be forgotten, to be claimed again a little later."""
    return Settlement(
        run=released(run, ready_at=Instant(max(run.ready_at, now) + UNCONFIRMED_US)),
        seen_state=run.state,
        seen_fence=run.fence,
    )


def settle_unstarted(
    run: Run, *, policies: Policies, retention: Retention, now: Instant
) -> Settlement | None:
    """Decide about a claimed run whose time has come; None to begin it.

    Between the claim and now the machine may have slept: what is a misfire by now and
    would be skipped as one is not begun.
    """
    is_scheduled = run.origin is Origin.SCHEDULE and run.attempt == 1
    # Not since it may be claimed: a claim that was not confirmed moves that.
    is_late = now - run.due_time > policies.misfire_grace_us
    if not (is_scheduled and is_late and policies.misfire is Misfire.SKIP):
        return None
    ended = changed(
        run,
        state=advance(run.state, RunMove.END),
        lease_until=None,
        outcome=Outcome.MISSED,
        reason=f"missed; more than {us_words(policies.misfire_grace_us)} late",
        finished_at=now,
        keep_until=retention.keep_until(Outcome.MISSED, ended_at=now),
    )
    return Settlement(
        run=ended,
        seen_state=run.state,
        seen_fence=run.fence,
        tally=tally_of(ended),
    )


def settle_interrupted(
    run: Run, ending: Ending, *, policies: Policies, retention: Retention
) -> Settlement:
    """Decide about a run that was broken off because its instance stops.

    A run that may be repeated is given back, so that another instance starts it at
    once; one that may not ends as CANCELLED.
    """
    if policies.on_lost is OnLost.FAIL:
        return settle_attempt(run, ending, policies=policies, retention=retention)
    again = changed(
        released(run, ready_at=ending.ended_at),
        attempt=run.attempt + 1,
        origin=Origin.RECOVERY,
        log=ending.log,
        attempts=kept(run, ending.outcome, ending=ending),
    )
    return Settlement(run=again, seen_state=run.state, seen_fence=run.fence, tally=None)


def settle_cancelled_instead(
    refused: Settlement, *, reason: str, retention: Retention, now: Instant
) -> Settlement:
    """End a run that would have gone on, had nobody asked to cancel it meanwhile."""
    ended = changed(
        refused.run,
        state=advance(refused.run.state, RunMove.END),
        lease_until=None,
        outcome=Outcome.CANCELLED,
        reason=reason,
        cancel_reason=reason,
        finished_at=now,
        keep_until=retention.keep_until(Outcome.CANCELLED, ended_at=now),
    )
    return replace(refused, run=ended, tally=tally_of(ended))


def settle_cancelled(
    run: Run, *, reason: str, retention: Retention, now: Instant
) -> Settlement:
    """End a run that nobody has begun, because it is not wanted any more."""
    ended = changed(
        run,
        state=advance(run.state, RunMove.END),
        lease_until=None,
        started_at=begun_at(run),
        outcome=Outcome.CANCELLED,
        reason=reason,
        finished_at=now,
        keep_until=retention.keep_until(Outcome.CANCELLED, ended_at=now),
    )
    return Settlement(
        run=ended,
        seen_state=run.state,
        seen_fence=run.fence,
        tally=tally_of(ended),
    )
