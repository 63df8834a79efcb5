"""The judgement: every check on every job of a journal. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.roles import is_wait
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
from nvent_sched.testing.checker.owed import records_of, shown, walk
from nvent_sched.testing.checker.pruned import judge_counters, whole_since
from nvent_sched.testing.checker.watching import judge_begun, judge_writes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvent_sched._model.runs import Run
    from nvent_sched.testing.checker.journal import JobJournal, Journal


UNKNOWN = "a record of an occurrence that the schedule does not have, or owes to nobody"


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
        sums.violations += judge_unfinished(known, journal)
        sums.violations += judge_counters(known, journal)
        if journal.is_clock_steady:
            sums.violations += judge_overlap(known, journal)
            sums.violations += judge_fences(known, journal)
            sums.violations += judge_lateness(known, journal)
    sums.violations += judge_begun(journal)
    sums.violations += judge_writes(journal)
    return Report(
        violations=tuple(sums.violations),
        unjudged=tuple(sums.unjudged),
        jobs=sum(not is_wait(known.job.id) for known in journal.jobs),
        occurrences=sums.occurrences,
        runs=sum(len(known.runs) for known in journal.jobs),
    )


def _judge_occurrences(
    known: JobJournal, journal: Journal, sums: _Sums, *, since: Instant | None
) -> None:
    if not known.stretches:
        return
    begin = _judged_since(known, journal, sums)
    begin = Instant(max(begin, since if since is not None else begin))
    met: set[str] = set()
    dues: dict[str, set[Instant]] = {}
    for stretch in known.stretches:
        walked = walk(stretch, records_of(stretch, known), after=begin)
        sums.violations += walked.violations
        sums.occurrences += walked.seen
        met |= walked.met
        for run_id, due in walked.dues.items():
            dues.setdefault(run_id, set()).add(due)
        if walked.stopped_at is not None:
            text = f"after {shown(walked.stopped_at)}: there are too many to look at"
            sums.unjudged.append(Unjudged(job_id=known.job.id, text=text))
            return
    for run in known.scheduled:
        # Asked for anew, an occurrence keeps the run that it had.
        if run.due_time not in (expected := dues.get(run.id, {run.due_time})):
            should = " or ".join(map(shown, sorted(expected)))
            text = (
                f"it was due at {shown(run.due_time)} and should have been at {should}"
            )
            sums.violations.append(_extra(run, text))
        if run.scheduled_time > begin and run.id not in met:
            sums.violations.append(_extra(run, UNKNOWN))


def _extra(run: Run, text: str) -> Violation:
    at, wrong = run.scheduled_time, Wrong.EXTRA
    return Violation(wrong=wrong, job_id=run.job_id, at=at, run_id=run.id, text=text)


def _judged_since(known: JobJournal, journal: Journal, sums: _Sums) -> Instant:
    """Say from where on a job is judged, and what is left out."""
    job_id, begin = known.job.id, known.stretches[0].after
    if journal.is_whole:
        return begin
    if known.job.created_at < begin:
        text = f"before {shown(begin)}, when it was last edited, paused or resumed"
        sums.unjudged.append(Unjudged(job_id=job_id, text=text))
    pruned = whole_since(known, now=journal.now)
    if pruned is not None and pruned > begin:
        begin = pruned
        text = f"up to {shown(pruned)}: records before it were pruned"
        sums.unjudged.append(Unjudged(job_id=job_id, text=text))
    return begin


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
        if overdue_us > journal.overdue_us:
            text = f"due for {overdue_us} us, and nobody looks"
            yield Violation(wrong=Wrong.MISSING, job_id=job.id, at=due, text=text)
