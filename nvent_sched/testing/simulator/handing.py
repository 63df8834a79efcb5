"""Whether every fire of a trigger was handed on to who hears it, once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._model.runs import Outcome
from nvent_sched.testing.checker import Violation, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvent_sched._model.runs import Run
    from nvent_sched.testing.simulator.losing import Failover
    from nvent_sched.testing.simulator.patterns import Fired, SimulatedTrigger

NOT_HANDED_ON: Final = frozenset(
    {Outcome.CANCELLED, Outcome.MISSED, Outcome.SKIPPED_OVERLAP}
)
"""What a user cancelled, unless that came too late, and what the schedule did not run."""
MARK: Final = "!"
"""Parts the subscription from the fire in the id of a delivery."""
KEPT_MARK: Final = "!kept:"
"""In the id of a run that hands on what was kept, and is no fire of its own."""


def judge_fires(
    trigger: SimulatedTrigger,
    *,
    fired: Iterable[Fired],
    runs: Iterable[Run],
    failover: Failover | None,
) -> Iterator[Violation]:
    """Look for fires that were answered and are not there, or were not handed on.

    Args:
        trigger: Which.
        fired: What hosts were told is stored.
        runs: All records, as nothing is left to do.
        failover: What may be lost.
    """
    ids = {trigger.job_id, trigger.subscription_id}
    if failover is not None and not ids.isdisjoint(failover.jobs_lost):
        return  # who was not heard of is declared again by a start, if there is one
    fires, heard = _told_apart(trigger, runs)
    for each in fired:
        is_lost = failover is not None and failover.since <= each.at <= failover.at
        if each.run_id not in fires and not is_lost:
            yield _missing(trigger, each.run_id, "it was answered, and is not there")
    for run_id, outcome in fires.items():
        if outcome not in NOT_HANDED_ON and run_id not in heard:
            yield _missing(trigger, run_id, f"it {outcome}, and nobody heard it")
    for run_id in sorted(heard - fires.keys()):
        job_id, text = trigger.subscription_id, "it was heard, and never fired"
        yield Violation(wrong=Wrong.EXTRA, job_id=job_id, run_id=run_id, text=text)


def _told_apart(
    trigger: SimulatedTrigger, runs: Iterable[Run]
) -> tuple[dict[str, Outcome | None], set[str]]:
    """Find how each fire ended, and which of them were heard."""
    fires: dict[str, Outcome | None] = {}
    heard: set[str] = set()
    for run in runs:
        if run.job_id == trigger.job_id and KEPT_MARK not in run.id:
            fires[run.id] = run.outcome
        elif run.job_id == trigger.subscription_id:
            heard.add(run.id.removeprefix(f"{trigger.subscription_id}{MARK}"))
    return fires, heard


def _missing(trigger: SimulatedTrigger, run_id: str, text: str) -> Violation:
    job_id, wrong = trigger.job_id, Wrong.MISSING
    return Violation(wrong=wrong, job_id=job_id, run_id=run_id, text=text)
