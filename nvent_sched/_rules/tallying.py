"""What a run that ended adds to its job's statistics. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.runs import Outcome
from nvent_sched._model.statistics import Tally
from nvent_sched._tracebacks import error_line

if TYPE_CHECKING:
    from nvent_sched._model.runs import Run


def tally_of(run: Run) -> Tally:
    """Say what a run that ended adds to its job's statistics."""
    assert run.finished_at is not None
    duration_us, lateness_us = None, None
    if run.started_at is not None:
        duration_us = max(0, run.finished_at - run.started_at)
        lateness_us = max(0, run.started_at - run.ready_at)
    text = error_line(run.error) or run.reason
    return Tally(
        job_id=run.job_id,
        outcome=run.outcome,
        count=run.count,
        started_at=run.started_at,
        finished_at=run.finished_at,
        duration_us=duration_us,
        lateness_us=lateness_us,
        error=None if run.outcome is Outcome.SUCCEEDED else text,
    )
