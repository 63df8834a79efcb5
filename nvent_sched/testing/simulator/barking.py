"""Whether each silence of watched work has raised its alarm, and nothing else has. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import MILLISECOND_US, SECOND_US, Instant
from nvent_sched._model.roles import Role
from nvent_sched.testing.checker import Violation, Wrong
from nvent_sched.testing.checker.journal import TOLERANCE_US
from nvent_sched.testing.checker.owed import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nvent_sched._model.jobs import Job
    from nvent_sched._model.runs import Run
    from nvent_sched.testing.simulator.patterns import Sign, SimulatedWatchdog

CLOSE_US: Final = 250 * MILLISECOND_US
"""A silence that differs from the time-out by less may raise an alarm or not."""
TAKEN_US_MAX: Final = 60 * SECOND_US
"""How long a sign may wait for the store: one that has no answer may be taken."""


def judge_alarms(
    dog: SimulatedWatchdog,
    *,
    key: str,
    signs: Iterable[Sign],
    jobs: Iterable[Job],
    runs: Iterable[Run],
    is_exact: bool,
) -> Iterator[Violation]:
    """Look for alarms that no silence explains, and for a silence that raised none.

    Args:
        dog: What was watched.
        key: Of the watchdog of one host.
        signs: The signs that it was given, in order.
        jobs: All jobs, as nothing is left to do.
        runs: All records.
        is_exact: Nothing was wrong with hosts or the store: each long silence raised one
            alarm. Otherwise a sign may not have come through.
    """
    job_id = f"{Role.WATCHDOG}{key}"
    given = [sign for sign in signs if sign.key == key]
    alarms = sorted(run.scheduled_time for run in runs if run.job_id == job_id)
    unmet = _unmet(alarms, given, timeout_us=dog.timeout_us)
    for at in unmet:
        text = "an alarm, and no sign of life that it could be about"
        yield Violation(wrong=Wrong.EXTRA, job_id=job_id, at=at, text=text)
    kept = next((job for job in jobs if job.id == job_id), None)
    if dog.is_left and given and not _is_raised(kept, alarms, dog=dog):
        text = "the work was left, and nobody was told"
        yield Violation(wrong=Wrong.MISSING, job_id=job_id, text=text)
    expected = _silences(given, timeout_us=dog.timeout_us)
    if is_exact and expected is not None and given:
        expected += dog.is_left
        if len(alarms) != expected:
            text = f"{len(alarms)} alarms at {', '.join(map(shown, alarms))}"
            text += f", and {expected} are right"
            yield Violation(wrong=Wrong.COUNTERS, job_id=job_id, text=text)


def _unmet(
    alarms: Sequence[Instant], given: Sequence[Sign], *, timeout_us: int
) -> list[Instant]:
    """List the alarms for which there is no sign of their own."""
    unmet = list[Instant]()
    left = list(given)
    for alarm in alarms:
        for sign in left:
            taken = sign.asked_at + TAKEN_US_MAX if sign.at is None else sign.at
            latest = taken + timeout_us + TOLERANCE_US
            if sign.asked_at - TOLERANCE_US <= alarm <= latest:
                left.remove(sign)
                break
        else:
            unmet.append(alarm)
    return unmet


def _is_raised(
    kept: Job | None, alarms: Sequence[Instant], *, dog: SimulatedWatchdog
) -> bool:
    """Whether an alarm was raised about the last sign that is stored."""
    if kept is None:
        return False
    latest = kept.anchor + dog.timeout_us + TOLERANCE_US
    return any(kept.anchor - TOLERANCE_US <= alarm <= latest for alarm in alarms)


def _silences(given: Sequence[Sign], *, timeout_us: int) -> int | None:
    """Count the silences that are too long; None if it is too close to say."""
    count = 0
    for one, other in pairwise(given):
        over_us = other.asked_at - (one.asked_at if one.at is None else one.at)
        over_us -= timeout_us
        if abs(over_us) < CLOSE_US:
            return None
        count += over_us > 0
    return count
