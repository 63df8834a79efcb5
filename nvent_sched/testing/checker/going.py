"""Runs beside one another: overlap, order of the fences, what is late or unfinished. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.policies import Misfire, Overlap
from nvent_sched._model.runs import Origin, RunState
from nvent_sched.testing.checker.findings import Violation, Wrong
from nvent_sched.testing.checker.owed import NOT_RUN, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.policies import Policies
    from nvent_sched._model.runs import Run
    from nvent_sched.testing.checker.journal import JobJournal, Journal


UNFINISHED_US = 60 * SECOND_US
"""How long a run may be left alone by instances that are up."""


class Going(NamedTuple):
    """A handler that was going."""

    began: Instant
    ended: Instant
    run: Run
    is_last: bool


def running_max(policies: Policies) -> int | None:
    """Say how many runs may be going at once; None for any number."""
    return policies.running_max if policies.overlap is Overlap.ALLOW_ALL else 1


def _goings(known: JobJournal, *, now: Instant) -> list[Going]:
    goings = [
        Going(each.started_at, each.ended_at, run, is_last=False)
        for run in known.runs
        for each in run.attempts
        if each.started_at is not None
    ]
    goings += [
        Going(run.started_at, run.finished_at or now, run, is_last=True)
        for run in known.runs
        if run.started_at is not None
        and run.state in {RunState.CLAIMED, RunState.FINISHED}
        and _is_of_last_attempt(run)
    ]
    since = known.stretches[-1].after if known.stretches else now
    # Before it was edited the policy may have been another one.
    return sorted(
        (going for going in goings if going.began > since),
        # At one instant those that were claimed first began first.
        key=lambda going: (going.began, going.ended, going.run.fence),
    )


def _is_of_last_attempt(run: Run) -> bool:
    """Whether a run's `started_at` is not that of the attempt before, still."""
    return not run.attempts or run.started_at != run.attempts[-1].started_at


def judge_overlap(known: JobJournal, journal: Journal) -> Iterator[Violation]:
    """Look for runs that were going at once although the policy forbids it."""
    most = running_max(known.job.definition.policies)
    if most is None:
        return
    ahead: list[Going] = []
    for going in _goings(known, now=journal.now):
        still = going.began + journal.tolerance_us
        ahead = [each for each in ahead if each.ended > still]
        if len(ahead) >= most:
            others = ", ".join(
                f"{each.run.id} until {shown(each.ended)}" for each in ahead
            )
            yield Violation(
                wrong=Wrong.OVERLAPPING,
                job_id=known.job.id,
                at=going.began,
                run_id=going.run.id,
                text=f"began at {shown(going.began)} beside {others}",
            )
        ahead.append(going)


def judge_fences(known: JobJournal, journal: Journal) -> Iterator[Violation]:
    """Look for a run that began later than another under an older fencing token."""
    fences: dict[int, Run] = {}
    for run in known.runs:
        if run.fence and (other := fences.setdefault(run.fence, run)) is not run:
            yield Violation(
                wrong=Wrong.STALE_WRITE,
                job_id=known.job.id,
                run_id=run.id,
                text=f"fencing token {run.fence} was given to {other.id} as well",
            )
    if running_max(known.job.definition.policies) != 1:
        return  # what may overlap may be claimed in one order and begin in another
    last: Going | None = None
    for going in _goings(known, now=journal.now):
        if not going.is_last:
            continue
        if last is not None and going.run.fence < last.run.fence:
            yield Violation(
                wrong=Wrong.STALE_WRITE,
                job_id=known.job.id,
                at=going.began,
                run_id=going.run.id,
                text=f"began under token {going.run.fence} after {last.run.id} had "
                f"{last.run.fence}",
            )
        last = going


def judge_lateness(known: JobJournal, journal: Journal) -> Iterator[Violation]:
    """Look for runs that began early, or later than their policy or the caller allows."""
    policies = known.job.definition.policies
    since = known.stretches[-1].after if known.stretches else journal.now
    for run in known.scheduled:
        tries = [*(each.started_at for each in run.attempts), run.started_at]
        if run.scheduled_time <= since or run.outcome in NOT_RUN or tries[0] is None:
            continue
        began = tries[0]
        if began < run.due_time - journal.tolerance_us:
            text = f"began {run.due_time - began} us before it was due"
            yield _late(run, Wrong.EARLY, text)
        limit_us: int | None = None
        # A run that was given back unstarted has the origin of what took it up again.
        if policies.misfire is Misfire.SKIP and run.origin is Origin.SCHEDULE:
            limit_us = policies.misfire_grace_us
        allowed_us = journal.late_after_us
        if allowed_us is not None and not _is_excused(
            run, began, known=known, to=journal
        ):
            limit_us = allowed_us if limit_us is None else min(allowed_us, limit_us)
        late_us = began - run.due_time
        if limit_us is not None and late_us > limit_us + journal.tolerance_us:
            text = f"began {late_us} us after it was due; {limit_us} us are allowed"
            yield _late(run, Wrong.LATE, text)


def _late(run: Run, wrong: Wrong, text: str) -> Violation:
    at = run.scheduled_time
    return Violation(wrong=wrong, job_id=run.job_id, at=at, run_id=run.id, text=text)


def _is_excused(run: Run, began: Instant, *, known: JobJournal, to: Journal) -> bool:
    """Whether something stood in the way: an outage, or an earlier run."""
    if any(start < began and end > run.due_time for start, end in to.outages):
        return True
    return any(
        going.run.id != run.id and going.began < began and going.ended > run.due_time
        for going in _goings(known, now=to.now)
    )


def judge_unfinished(known: JobJournal, journal: Journal) -> Iterator[Violation]:
    """Look for runs that nobody is going to end."""
    if not known.is_served:
        return
    slack_us = 0 if journal.is_at_rest else UNFINISHED_US
    is_going = {RunState.READY, RunState.CLAIMED}
    has_going = any(run.state in is_going for run in known.runs)
    for run in known.runs:
        if run.state is RunState.FINISHED:
            continue
        if run.state is RunState.WAITING and has_going:
            continue
        expected, text = _expected(run, journal)
        if expected + slack_us <= journal.now:
            yield Violation(
                wrong=Wrong.INCOMPLETE,
                job_id=known.job.id,
                at=run.scheduled_time,
                run_id=run.id,
                text=text,
            )


def _expected(run: Run, journal: Journal) -> tuple[Instant, str]:
    """Say when something should have become of a run that is not finished."""
    if run.lease_until is not None:
        expected = journal.now if journal.is_at_rest else run.lease_until
        return expected, f"claimed by {run.instance} until {shown(run.lease_until)}"
    if run.state is RunState.WAITING:
        return run.due_time, "it waits for another run, and none is going"
    return run.ready_at, f"ready since {shown(run.ready_at)}, and nobody claims it"
