"""The judgement: every check on every job of a journal. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import JobStatus
from nvent_sched._rules.recurrence import (
    due_of,
    is_after_finish,
    next_occurrence,
    schedule_of,
)
from nvent_sched.errors import UsageError
from nvent_sched.testing.checker.findings import Report, Unjudged, Violation, Wrong
from nvent_sched.testing.checker.going import (
    judge_fences,
    judge_lateness,
    judge_overlap,
    judge_unfinished,
)
from nvent_sched.testing.checker.owed import shown, walk
from nvent_sched.testing.checker.pruned import judge_counters, whole_since
from nvent_sched.testing.checker.watching import judge_begun, judge_writes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvent_sched.testing.checker.journal import JobJournal, Journal

OVERDUE_US = 60_000_000
"""How long a due job may be left alone by instances that are up."""


@dataclass(slots=True)
class _Sums:
    violations: list[Violation] = field(default_factory=list)
    unjudged: list[Unjudged] = field(default_factory=list)
    occurrences: int = 0


def judge(journal: Journal, *, since: Instant | None = None) -> Report:
    """Judge a history.

    Args:
        journal: What is known.
        since: Only occurrences after it; all without it.
    """
    sums = _Sums()
    for known in journal.jobs:
        try:
            schedule_of(known.job)
        except UsageError as error:
            text = f"its schedule cannot be read: {error}"
            sums.unjudged.append(Unjudged(job_id=known.job.id, text=text))
            continue
        _judge_occurrences(known, journal, sums, since=since)
        sums.violations += _judge_standing(known, journal)
        for check in (
            judge_overlap,
            judge_fences,
            judge_lateness,
            judge_unfinished,
            judge_counters,
        ):
            sums.violations += check(known, journal)
    sums.violations += judge_begun(journal)
    sums.violations += judge_writes(journal)
    return Report(
        violations=tuple(sums.violations),
        unjudged=tuple(sums.unjudged),
        jobs=len(journal.jobs),
        occurrences=sums.occurrences,
        runs=sum(len(known.runs) for known in journal.jobs),
    )


def _judge_occurrences(
    known: JobJournal, journal: Journal, sums: _Sums, *, since: Instant | None
) -> None:
    job_id, records = known.job.id, known.scheduled
    if not known.stretches:
        return
    begin = known.stretches[0].after
    if not journal.is_whole and known.job.created_at < begin:
        text = f"before {shown(begin)}, when it was last edited, paused or resumed"
        sums.unjudged.append(Unjudged(job_id=job_id, text=text))
    pruned = None if journal.is_whole else whole_since(known, now=journal.now)
    if pruned is not None and pruned > begin:
        begin = pruned
        text = f"up to {shown(pruned)}: records before it were pruned"
        sums.unjudged.append(Unjudged(job_id=job_id, text=text))
    begin = Instant(max(begin, since if since is not None else begin))
    met: set[str] = set()
    for stretch in known.stretches:
        walked = walk(stretch, records, after=begin)
        sums.violations += walked.violations
        sums.occurrences += walked.seen
        met |= walked.met
        if walked.stopped_at is not None:
            text = f"after {shown(walked.stopped_at)}: there are too many to look at"
            sums.unjudged.append(Unjudged(job_id=job_id, text=text))
            return
    for run in records:
        if run.scheduled_time > begin and run.id not in met:
            sums.violations.append(
                Violation(
                    wrong=Wrong.EXTRA,
                    job_id=job_id,
                    at=run.scheduled_time,
                    run_id=run.id,
                    text="a record of an occurrence that nobody is known to have planned"
                    " or that the schedule does not have",
                )
            )


def _judge_standing(known: JobJournal, journal: Journal) -> Iterator[Violation]:
    """Check where the schedule stands: at the first occurrence after its mark."""
    job, policies = known.job, known.job.definition.policies
    schedule = schedule_of(job)
    if job.status is not JobStatus.ACTIVE or is_after_finish(schedule):
        return
    due = next_occurrence(
        schedule, policies=policies, after=job.considered_until, planned=job.planned
    )
    if due != job.next_time:
        stands = "nowhere" if job.next_time is None else f"at {shown(job.next_time)}"
        text = f"it is next, and the job stands {stands}"
        yield Violation(wrong=Wrong.MISSING, job_id=job.id, at=due, text=text)
    elif due is not None and known.is_served:
        overdue_us = journal.now - due_of(job, due)
        if overdue_us > (0 if journal.is_at_rest else OVERDUE_US):
            text = f"due for {overdue_us} us, and nobody looks"
            yield Violation(wrong=Wrong.MISSING, job_id=job.id, at=due, text=text)
