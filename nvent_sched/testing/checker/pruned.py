"""From where on a history is whole, and whether the counters agree with it. Pure.

Counters outlive records, so they may be higher than what is kept, never lower. Pruning
takes the oldest of each kind first: what an outcome lacks is older than what is left.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvent_sched._model.instants import Instant
from nvent_sched._model.runs import ATTEMPTS_KEPT_MAX, FAILURES, Outcome, RunState
from nvent_sched._rules.retention import FINE
from nvent_sched.testing.checker.findings import Violation, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvent_sched._model.runs import Run
    from nvent_sched.testing.checker.journal import JobJournal, Journal

TRIED_AGAIN = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST})


def counted(runs: tuple[Run, ...]) -> Counter[Outcome]:
    """Count occurrences by outcome, as the statistics do."""
    counts: Counter[Outcome] = Counter()
    for run in runs:
        if run.outcome is not None:
            counts[run.outcome] += run.count
    return counts


def whole_since(known: JobJournal, *, now: Instant) -> Instant | None:
    """Say after which occurrence nothing was pruned; None if nothing ever was."""
    kept = counted(known.runs)
    lacking = {o for o, count in known.stats.counts.items() if count > kept[o]}
    if not lacking:
        return None
    since = []
    for outcome in lacking:
        # Those that are kept equally long go in order, whatever their outcome.
        alike = [
            run.scheduled_time
            for run in known.runs
            if run.state is RunState.FINISHED
            and (run.outcome in FINE) == (outcome in FINE)
        ]
        since.append(min(alike) if alike else _newest(known, outcome, now=now))
    return Instant(max(since))


def _newest(known: JobJournal, outcome: Outcome, *, now: Instant) -> Instant:
    """Say how new a record may have been whose like were all pruned."""
    if outcome is Outcome.SUCCEEDED:
        return known.stats.last_success_at or now
    if outcome in FAILURES:
        return known.stats.last_failure_at or now
    return now


def judge_counters(known: JobJournal, journal: Journal) -> Iterator[Violation]:
    """Compare a job's counters with its history."""
    job_id, kept = known.job.id, counted(known.runs)
    for outcome in Outcome:
        counter, records = known.stats.counts.get(outcome, 0), kept[outcome]
        if counter < records or (journal.is_whole and counter != records):
            yield Violation(
                wrong=Wrong.COUNTERS,
                job_id=job_id,
                text=f"{counter} counted as {outcome}, and {records} in the history",
            )
    least, most = _retries(known.runs)
    if known.stats.retries < least or (journal.is_whole and known.stats.retries > most):
        expected = f"{least}" if least == most else f"{least} to {most}"
        yield Violation(
            wrong=Wrong.COUNTERS,
            job_id=job_id,
            text=f"{known.stats.retries} retries counted, and {expected} in the history",
        )


def _retries(runs: tuple[Run, ...]) -> tuple[int, int]:
    """Say how many attempts were followed by another, at least and at most."""
    least = most = 0
    for run in runs:
        tried = sum(each.outcome in TRIED_AGAIN for each in run.attempts)
        is_cut = len(run.attempts) >= ATTEMPTS_KEPT_MAX
        # What was lost for good is listed among the attempts as well, and one that was
        # cancelled as it failed was not followed by another.
        is_last_listed = run.outcome in {Outcome.LOST, Outcome.DEAD_LETTERED}
        may_be_listed = (
            run.outcome is Outcome.CANCELLED and run.cancel_reason is not None
        )
        most += 10**9 if is_cut else max(0, tried - is_last_listed)
        least += max(0, tried - is_last_listed - may_be_listed)
    return least, most
