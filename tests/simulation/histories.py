"""Histories made by the rules themselves, without an engine: a job, gaps and durations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvent_sched import Interval, Outcome
from nvent_sched._model.claims import Committed, JobWrite, Pool
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.jobs import JobDefinition
from nvent_sched._model.policies import DEFAULT_POLICIES, Policies
from nvent_sched._model.runs import RunState
from nvent_sched._model.values import changed
from nvent_sched._rules.drafting import Claimant
from nvent_sched._rules.planning import plan_due
from nvent_sched._rules.registration import IfExists, register
from nvent_sched._rules.retention import RETENTION
from nvent_sched._rules.settling import Ending, settle_attempt, settle_unstarted
from nvent_sched.adapters.memory.finding import due_batch
from nvent_sched.adapters.memory.tables import Tables
from nvent_sched.testing.checker import JobJournal, Journal
from nvent_sched.testing.checker.journal import known_stretch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.runs import Run
    from nvent_sched._model.schedules import Schedule

NOON = Instant(1_767_268_800_000_000)
EVERY_US = 10 * SECOND_US
EVERY_TEN = Interval(seconds=10)
CLAIMANT = Claimant(instance="one", claims_max=5, lease_us=10**12, retention=RETENTION)
FAILED = ("builtins.ValueError", "builtins.Exception")


@dataclass(frozen=True)
class Step:
    """What happens next: a gap, then every run that begins takes so long."""

    gap_us: int
    duration_us: int = SECOND_US
    fails: bool = False


class Maker:
    """Makes a history: plans, claims and settles as an engine would, without one."""

    def __init__(self, schedule: Schedule, policies: Policies) -> None:
        self.tables = Tables()
        self.policies = policies
        self.now = NOON
        self.requests = 0
        self.going: dict[str, tuple[Run, Ending]] = {}
        definition = JobDefinition(
            id="job",
            name="job",
            handler="work",
            schedule=schedule.spec(),
            policies=policies,
        )
        write = register(definition, existing=None, if_exists=IfExists.UPDATE, now=NOON)
        assert isinstance(write, JobWrite)
        self.tables.write(write)

    def do(self, step: Step) -> None:
        until = self.now + step.gap_us
        while ends := [
            e.ended_at for _, e in self.going.values() if e.ended_at <= until
        ]:
            self.now = min(ends)
            self._end()
            self._plan(step)
        self.now = Instant(until)
        self._plan(step)

    def _end(self) -> None:
        for run_id, (run, ending) in list(self.going.items()):
            if ending.ended_at == self.now:
                del self.going[run_id]
                verdict = settle_attempt(
                    run, ending, policies=self.policies, retention=RETENTION
                )
                self.tables.settle([verdict], now=self.now)

    def _plan(self, step: Step) -> None:
        tables = self.tables
        # What a plan cancels may make the job be looked at once more, now.
        while jobs := due_batch(tables, now=self.now, handlers=["work"], limit=9).jobs:
            (facts,) = jobs
            plan = plan_due(facts, now=self.now, claimant=CLAIMANT)
            verdict = tables.commit(plan, now=self.now)
            assert isinstance(verdict, Committed)
            for run, fence in zip(plan.runs, verdict.fences, strict=True):
                if run.state is RunState.CLAIMED:
                    self._begin(changed(run, fence=fence), step)
        self.requests += 1
        request = f"request {self.requests}"
        tables.claim(
            [Pool(handlers=("work",), limit=999)],
            request=request,
            instance="one",
            until=self.now,
            lease_until=Instant(self.now + 10**12),
        )
        for record in list(tables.runs.values()):
            if record.request == request:
                self._begin(record.run(), step)
        if due_batch(tables, now=self.now, handlers=["work"], limit=9).jobs:
            self._plan(step)  # what was too late to begin has ended

    def _begin(self, run: Run, step: Step) -> None:
        verdict = settle_unstarted(
            run, policies=self.policies, retention=RETENTION, now=self.now
        )
        if verdict is not None:
            self.tables.settle([verdict], now=self.now)
            return
        began = Instant(max(self.now, run.ready_at))
        self.going[run.id] = (
            run,
            Ending(
                outcome=Outcome.FAILED if step.fails else Outcome.SUCCEEDED,
                started_at=began,
                ended_at=Instant(began + step.duration_us),
                kinds=FAILED if step.fails else (),
                error="ValueError: no" if step.fails else None,
            ),
        )

    def journal(self) -> Journal:
        """Read it as one would read a store's."""
        job = self.tables.jobs["job"].job()
        known = JobJournal(
            job=job,
            stretches=(known_stretch(job),),
            runs=tuple(record.run() for record in self.tables.runs.values()),
            stats=self.tables.stats_of("job"),
        )
        return Journal(now=self.now, jobs=(known,), tolerance_us=0)


def made(
    steps: Sequence[Step],
    *,
    schedule: Schedule = EVERY_TEN,
    policies: Policies = DEFAULT_POLICIES,
) -> Journal:
    maker = Maker(schedule, policies)
    for step in steps:
        maker.do(step)
    return maker.journal()


def steady(count: int = 20, policies: Policies = DEFAULT_POLICIES) -> Journal:
    """So many occurrences, each run in time."""
    return made([Step(EVERY_US)] * (count + 1), policies=policies)
