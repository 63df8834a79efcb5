"""What a scenario expects beside what the checker judges. Pure.

An expectation looks at how a simulation ended, and says what is not as it should be.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvent_sched._model.runs import EXECUTED, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.runs import Run
    from nvent_sched.testing.simulator.running import Ending

    Expectation = Callable[[Ending], str | None]


def _runs(ending: Ending) -> list[Run]:
    return [run for known in ending.journal.jobs for run in known.runs]


def all_well(ending: Ending) -> str | None:
    """Expect nothing more."""
    del ending
    return None


def each_began_once(ending: Ending) -> str | None:
    """Expect that no handler began a second time."""
    began = Counter(begun.run_id for begun in ending.journal.begun)
    twice = [run_id for run_id, count in began.items() if count > 1]
    return f"began twice: {', '.join(twice)}" if twice else None


def no_attempt_was_lost(ending: Ending) -> str | None:
    """Expect that no owner was taken for dead."""
    lost = [
        run.id for run in _runs(ending) if run.crashes or run.outcome is Outcome.LOST
    ]
    return f"taken for lost: {', '.join(lost)}" if lost else None


def said(*words: str) -> Expectation:
    """Expect a line of the log that has all of these words."""

    def look(ending: Ending) -> str | None:
        if any(all(word in line for word in words) for line in ending.log):
            return None
        return f"it never came to it: no line has {' and '.join(words)}"

    return look


def nobody_found_dead(host: str) -> Expectation:
    """Expect that no instance of a host was taken for dead."""

    def look(ending: Ending) -> str | None:
        found = [
            line
            for line in ending.log
            if "take_lost" in line and f"{host}." in line[40:]
        ]
        return found[0] if found else None

    return look


def ended_as(outcome: Outcome) -> Expectation:
    """Expect that a run ended so."""

    def look(ending: Ending) -> str | None:
        outcomes = {run.outcome for run in _runs(ending)}
        return None if outcome in outcomes else f"no run ended as {outcome}"

    return look


def executed_at_most(most: int) -> Expectation:
    """Expect that not all that was missed was run."""

    def look(ending: Ending) -> str | None:
        count = sum(run.outcome in EXECUTED for run in _runs(ending))
        return f"{count} runs, and {most} at most are right" if count > most else None

    return look


def few_were_lost_late(ending: Ending) -> str | None:
    """After a failover only what was written in between may be done twice."""
    began = Counter(begun.run_id for begun in ending.journal.begun)
    twice = [run_id for run_id, count in began.items() if count > 1]
    return f"too many began twice: {twice}" if len(twice) > 4 else None  # noqa: PLR2004


def both(*expectations: Expectation) -> Expectation:
    """Expect all of these."""

    def look(ending: Ending) -> str | None:
        vain = [said for each in expectations if (said := each(ending)) is not None]
        return "; ".join(vain) or None

    return look


def executed_at(job_id: str, *instants: Instant) -> Expectation:
    """Expect that a job was executed at these times by its schedule, and at no others."""

    def look(ending: Ending) -> str | None:
        times = [
            run.scheduled_time
            for known in ending.journal.jobs
            for run in known.scheduled
            if run.job_id == job_id and run.outcome in EXECUTED
        ]
        if times == list(instants):
            return None
        return f"{job_id} was executed at {times}, and {list(instants)} are right"

    return look
