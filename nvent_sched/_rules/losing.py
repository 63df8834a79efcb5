"""What becomes of a run whose instance died or let its lease run out. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvent_sched._model.claims import Settlement
from nvent_sched._model.instants import Instant
from nvent_sched._model.policies import OnLost, Policies
from nvent_sched._model.runs import Origin, Outcome
from nvent_sched._model.statistics import Tally
from nvent_sched._model.values import changed
from nvent_sched._rules.lifecycle import RunMove, advance
from nvent_sched._rules.retries import recovery_delay_us
from nvent_sched._rules.settling import (
    Ending,
    begun_at,
    kept,
    released,
    settle_cancelled,
)
from nvent_sched._rules.tallying import tally_of

if TYPE_CHECKING:
    from nvent_sched._model.runs import Run
    from nvent_sched._rules.retention import Retention

OF_NO_JOB: Final = Policies(on_lost=OnLost.FAIL)
"""Of a run whose job was removed: its own are not known, and may be at most once."""


def settle_lost(
    run: Run, *, policies: Policies, retention: Retention, now: Instant
) -> Settlement:
    """Decide about a run whose instance died or let its lease run out.

    `on_lost="retry"` makes it READY again, until it has taken `crashes_max` instances
    with it: then it is a dead letter. `on_lost="fail"` ends it as LOST. One that was
    claimed ahead and is not due yet had no part in it, and is just given back. Either
    way the verdict loses against a renewal that came in between. One that somebody
    wanted cancelled ends as that.
    """
    if run.cancel_reason is not None:
        reason = run.cancel_reason
        return settle_cancelled(run, reason=reason, retention=retention, now=now)
    if policies.on_lost is OnLost.RETRY and now < run.ready_at:
        return _guarded(run, released(run, ready_at=run.ready_at), tally=None)
    crashes = run.crashes + 1
    reason = f"instance {run.instance} was lost with it"
    ending = Ending(
        outcome=Outcome.LOST, started_at=begun_at(run), ended_at=now, reason=reason
    )
    if policies.on_lost is OnLost.RETRY and crashes < policies.crashes_max:
        delay_us = recovery_delay_us(crashes=crashes, run_id=run.id)
        again = changed(
            released(run, ready_at=Instant(now + delay_us)),
            attempt=run.attempt + 1,
            crashes=crashes,
            origin=Origin.RECOVERY,
            attempts=kept(run, Outcome.LOST, ending=ending),
        )
        tally = Tally(job_id=run.job_id, outcome=None, finished_at=now, error=reason)
        return _guarded(run, again, tally=tally)
    is_poison = policies.on_lost is OnLost.RETRY
    outcome = Outcome.DEAD_LETTERED if is_poison else Outcome.LOST
    if is_poison:
        reason = f"{crashes} instances were lost with it, the last was {run.instance}"
    ended = changed(
        run,
        state=advance(run.state, RunMove.END),
        lease_until=None,
        started_at=begun_at(run),
        crashes=crashes,
        outcome=outcome,
        reason=reason,
        finished_at=now,
        attempts=kept(run, Outcome.LOST, ending=ending),
        keep_until=retention.keep_until(outcome, ended_at=now),
    )
    return _guarded(run, ended, tally=replace(tally_of(ended), duration_us=None))


def _guarded(run: Run, decided: Run, *, tally: Tally | None) -> Settlement:
    return Settlement(
        run=decided,
        seen_state=run.state,
        seen_fence=run.fence,
        seen_lease_until=run.lease_until,
        tally=tally,
    )
