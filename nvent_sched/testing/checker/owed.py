"""Which occurrences were owed, and which record stands for each. Pure.

One walk along the schedule: each occurrence must be met by exactly one record. A record
of a range stands for all occurrences from its first to its last, and must count them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import Instant, moment_from
from nvent_sched._model.runs import Outcome
from nvent_sched._rules.agenda import LOOKAHEAD_US
from nvent_sched._rules.recurrence import (
    due_of,
    is_after_finish,
    next_occurrence,
    schedule_of,
)
from nvent_sched._rules.schedules import Interval
from nvent_sched.testing.checker.findings import Violation, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvent_sched._model.runs import Run
    from nvent_sched.testing.checker.journal import JobJournal, Stretch

STEPS_MAX: Final = 200_000
"""How many occurrences of a job are looked at one by one."""
NOT_RUN: Final = frozenset({Outcome.MISSED, Outcome.SKIPPED_OVERLAP})


@dataclass(slots=True)
class Walk:
    """A walk along one stretch, and what it found.

    Attributes:
        seen: Occurrences that were owed and looked for.
        met: Ids of the records that stand for one.
        dues: When the runs among them should have been due.
        stopped_at: Where it was given up, because there are too many.
    """

    stretch: Stretch
    violations: list[Violation] = field(default_factory=list)
    seen: int = 0
    met: set[str] = field(default_factory=set)
    dues: dict[str, Instant] = field(default_factory=dict)
    stopped_at: Instant | None = None

    def found(self, wrong: Wrong, text: str, **about: object) -> None:
        """Add a violation."""
        job_id = self.stretch.job.id
        self.violations.append(
            Violation(wrong=wrong, job_id=job_id, text=text, **about)  # type: ignore[arg-type]
        )


def shown(instant: Instant) -> str:
    """Write an instant for people."""
    return moment_from(instant).isoformat()


def walk(stretch: Stretch, records: Sequence[Run], *, after: Instant) -> Walk:
    """Look for the record of each occurrence that a stretch owes.

    Args:
        stretch: The part of a job's life.
        records: All records of its schedule, oldest first.
        after: From where on the history is whole.
    """
    walked = Walk(stretch)
    if is_after_finish(schedule_of(stretch.job)):
        _walk_chain(walked, records, after=after)
        return walked
    missing: list[Instant] = []
    started: list[Instant] = []
    single: dict[Instant, list[Run]] = {}
    for run in records:
        if run.until_time is None:
            single.setdefault(run.scheduled_time, []).append(run)
    ranges = [run for run in records if run.until_time is not None]
    # After the clock was set back, another schedule's range may cover the same time.
    ranges = [run for run in ranges if _is_of(stretch, run.scheduled_time)]
    for at in _occurrences(walked, records, after=after):
        standing = [*single.get(at, ()), *(run for run in ranges if _covers(run, at))]
        walked.met.update(run.id for run in standing)
        if not standing:
            missing.append(at)
        elif len(standing) > 1:
            ids = ", ".join(run.id for run in standing)
            walked.found(Wrong.EXTRA, f"{len(standing)} records: {ids}", at=at)
        elif standing[0].outcome not in NOT_RUN:
            started.append(at)
    _judge_missing(walked, missing, started=started)
    _judge_ranges(walked, records)
    return walked


def records_of(stretch: Stretch, known: JobJournal) -> Sequence[Run]:
    """Say which records a stretch may be answerable for.

    A schedule that counts from the end of a run cannot tell its own times; after the
    clock was set back those of another may lie among them.
    """
    if not is_after_finish(schedule_of(stretch.job)):
        return known.scheduled
    others = [
        each
        for each in known.stretches
        if each is not stretch and not is_after_finish(schedule_of(each.job))
    ]
    return [
        run
        for run in known.scheduled
        if not any(
            other.after < run.scheduled_time <= other.until
            and _is_of(other, run.scheduled_time)
            for other in others
        )
    ]


def _occurrences(
    walked: Walk, records: Sequence[Run], *, after: Instant
) -> Iterator[Instant]:
    stretch = walked.stretch
    schedule, policies = schedule_of(stretch.job), stretch.job.definition.policies
    jumps = {run.scheduled_time: run for run in records if run.count > 1}
    at: Instant | None = Instant(max(after, stretch.after))
    while walked.seen < STEPS_MAX:
        assert at is not None
        at = next_occurrence(schedule, policies=policies, after=at, planned=0)
        if at is None or at > stretch.until:
            return
        walked.seen += 1
        yield at
        if (run := jumps.get(at)) is not None and run.count > STEPS_MAX // 10:
            assert run.until_time is not None
            # A long outage is one record: what lies within was counted, not listed.
            at = run.until_time
    walked.stopped_at = at


def _is_of(stretch: Stretch, at: Instant) -> bool:
    """Whether an instant is an occurrence of the schedule of a stretch."""
    schedule, policies = schedule_of(stretch.job), stretch.job.definition.policies
    before = Instant(at - 1)
    return next_occurrence(schedule, policies=policies, after=before, planned=0) == at


def _covers(run: Run, at: Instant) -> bool:
    return run.scheduled_time <= at <= (run.until_time or run.scheduled_time)


def _judge_missing(
    walked: Walk, missing: Sequence[Instant], *, started: Sequence[Instant]
) -> None:
    runs_max = walked.stretch.job.definition.policies.runs_max
    last = started[-1] if started else walked.stretch.after
    for at in missing:
        # After the last run that `max_runs` allows nothing is owed.
        if not (walked.stretch.is_used_up and at > last):
            text = "no run, and no record that says why there is none"
            walked.found(Wrong.MISSING, text, at=at)
    if runs_max is not None and len(started) > runs_max:
        text = f"{len(started)} runs, and max_runs is {runs_max}"
        walked.found(Wrong.EXTRA, text)


def _judge_ranges(walked: Walk, records: Sequence[Run]) -> None:
    """Check that a range counts what it stands for, and say when the rest was due."""
    stretch = walked.stretch
    schedule, policies = schedule_of(stretch.job), stretch.job.definition.policies
    for run in records:
        if run.id not in walked.met:
            continue
        if run.outcome not in NOT_RUN:
            walked.dues[run.id] = due_of(stretch.job, run.scheduled_time)
        if run.until_time is None or run.count > STEPS_MAX // 10:
            continue
        if "at least" in (run.reason or ""):
            continue
        count, at = 0, Instant(run.scheduled_time - 1)
        while (
            found := next_occurrence(schedule, policies=policies, after=at, planned=0)
        ) is not None and found <= run.until_time:
            count, at = count + 1, found
        if count != run.count:
            text = f"it says {run.count} occurrences, and there are {count}"
            walked.found(Wrong.COUNTERS, text, at=run.scheduled_time, run_id=run.id)


def _walk_chain(walked: Walk, records: Sequence[Run], *, after: Instant) -> None:
    """Check an interval that counts from the end of a run: never sooner than that."""
    job = walked.stretch.job
    schedule = schedule_of(job)
    assert isinstance(schedule, Interval)
    begin = max(after, walked.stretch.after)
    within = [
        run for run in records if begin < run.scheduled_time <= walked.stretch.until
    ]
    walked.seen = len(within)
    walked.met.update(run.id for run in within)
    # In the order of their claims: a clock that was set back mixes up that of the times.
    chain = [run for run in records if run.outcome not in NOT_RUN]
    chain.sort(key=lambda run: (run.fence, run.scheduled_time))
    for earlier, later in pairwise(chain):
        ended = earlier.finished_at
        if earlier.scheduled_time <= begin + LOOKAHEAD_US:
            continue  # planned before the edit, which counts anew
        if later.scheduled_time > walked.stretch.until:
            continue  # of the next part of its life
        if later.scheduled_time < earlier.scheduled_time:
            continue  # the clock was set back in between
        if ended is not None and (later.started_at or ended) < ended:
            continue  # the same, as the earlier ran; or they overlap, which is judged
        if ended is None or later.scheduled_time - schedule.every_us < ended:
            text = f"sooner than {schedule.every} after the end of {earlier.id}"
            walked.found(Wrong.EXTRA, text, at=later.scheduled_time, run_id=later.id)
