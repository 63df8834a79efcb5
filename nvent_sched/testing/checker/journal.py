"""What is judged: jobs, their records, and what else was written down. Values only. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvent_sched._model.instants import SECOND_US
from nvent_sched._rules.drafting import run_id_of
from nvent_sched._rules.recurrence import schedule_of, starting_mark

if TYPE_CHECKING:
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats

OVERDUE_US = 60 * SECOND_US
TOLERANCE_US = SECOND_US
"""How far the clocks of two instances may disagree about one moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a job's life in which nobody edited it.

    Attributes:
        job: As it was written at its beginning.
        after: Occurrences are owed after this mark...
        until: ...up to this one, where the schedule stood at its end.
        is_used_up: As many occurrences became runs as `max_runs` allows.
    """

    job: Job
    after: Instant
    until: Instant
    is_used_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobJournal:
    """What is known of one job.

    Attributes:
        job: As it stands.
        stretches: The parts of its life that are known, in order.
        runs: Its records, in any order.
        stats: What was counted of it.
        is_served: An instance that has its handler is up, and was for a while.
    """

    job: Job
    stretches: tuple[Stretch, ...]
    runs: tuple[Run, ...]
    stats: JobStats
    is_served: bool = True

    @property
    def scheduled(self) -> tuple[Run, ...]:
        """The records that stand for occurrences, oldest first.

        Known by their ids: a run that was recovered has another origin.
        """
        named = (
            run
            for run in self.runs
            if run.id == run_id_of(run.job_id, run.scheduled_time)
        )
        return tuple(sorted(named, key=lambda run: run.scheduled_time))


@dataclass(slots=True, kw_only=True)
class Begun:
    """A handler that began, as seen from outside of every instance.

    Attributes:
        began_at: True time, which no instance knows.
        acts: When it did something, by the same time.
        thawed: When its instance came back from pauses: what a process was about to do
            as it was stopped it does then, before anything can stop it.
    """

    job_id: str
    run_id: str
    fence: int
    instance: str
    began_at: Instant
    acts: list[Instant] = field(default_factory=list)
    thawed: frozenset[Instant] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FencedWrite:
    """A write to a run that the store accepted.

    Attributes:
        is_claim: It gave the fence out; otherwise it was made under it.
    """

    job_id: str
    run_id: str
    fence: int
    is_claim: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A history to judge.

    Attributes:
        now: When it was read, by the store's clock.
        begun: Handlers that began, where somebody watched.
        writes: Accepted writes in order, where somebody recorded them.
        is_at_rest: Nothing is due any more, so nothing may be unfinished.
        is_whole: Nothing was pruned: counters must be equal to the history.
        is_clock_steady: Its times can be compared: nobody set the clock meanwhile.
        overdue_us: How long a due job may be left alone by instances that are up.
        tolerance_us: How far the clocks of two instances may disagree.
        late_after_us: How late a run may begin that nothing stood in the way of; None
            to judge only what a policy forbids.
        outages: When nobody could have begun a run in time.
    """

    now: Instant
    jobs: tuple[JobJournal, ...]
    begun: tuple[Begun, ...] = ()
    writes: tuple[FencedWrite, ...] = ()
    is_at_rest: bool = False
    is_whole: bool = False
    is_clock_steady: bool = True
    overdue_us: int = OVERDUE_US
    tolerance_us: int = TOLERANCE_US
    late_after_us: int | None = None
    outages: tuple[tuple[Instant, Instant], ...] = ()


def known_stretch(job: Job) -> Stretch:
    """Say which part of a job's life its record alone tells of.

    The newest: since its schedule began, or since it was last edited, paused or resumed.
    """
    if job.updated_at > job.anchor:
        after = job.updated_at
    else:
        after = starting_mark(schedule_of(job), now=job.anchor)
    return Stretch(
        job=job,
        after=after,
        until=job.considered_until,
        is_used_up=is_used_up(job),
    )


def is_used_up(job: Job) -> bool:
    """Whether as many occurrences became runs as ever may."""
    runs_max = job.definition.policies.runs_max
    return runs_max is not None and job.planned >= runs_max
