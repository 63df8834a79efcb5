"""The records of a plan: a run for what is run, a reason for what is not. Pure.

A draft lives inside one call of `planning`; it only collects.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from nvent_sched._model.events import Event, EventKind
from nvent_sched._model.instants import Instant, moment_from
from nvent_sched._model.runs import Origin, Outcome, Run, RunState
from nvent_sched._model.statistics import Tally
from nvent_sched._model.values import changed
from nvent_sched._rules.lifecycle import RunMove, advance
from nvent_sched._rules.overlap import Place
from nvent_sched._rules.recurrence import Span
from nvent_sched._rules.roles import payload_of

if TYPE_CHECKING:
    from nvent_sched._model.jobs import Job
    from nvent_sched._rules.misfires import Due
    from nvent_sched._rules.overlap import Floor
    from nvent_sched._rules.retention import Retention


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Who plans, and what it could start at once.

    Attributes:
        instance: The instance's id.
        claims_max: Its free slots for this job's handler. At least 0.
        lease_us: For how long it claims a run.
        retention: For the records of what is not run.
    """

    instance: str
    claims_max: int
    lease_us: int
    retention: Retention


def run_id_of(job_id: str, scheduled_time: Instant) -> str:
    """Name the run of an occurrence: the same on every instance, for ever."""
    return f"{job_id}@{_text_of(scheduled_time)}"


@lru_cache(256)
def _text_of(scheduled_time: Instant) -> str:
    # Many jobs are due at one instant.
    return f"{moment_from(scheduled_time).replace(tzinfo=None).isoformat()}Z"


@dataclass(slots=True)
class Draft:
    """What a plan is going to say."""

    job: Job
    now: Instant
    claimant: Claimant
    runs: list[Run] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    claimed: int = 0
    started: int = 0

    @property
    def is_used_up(self) -> bool:
        """Whether as many occurrences became runs as ever may."""
        runs_max = self.job.definition.policies.runs_max
        return runs_max is not None and self.job.planned + self.started >= runs_max

    def add(
        self,
        due: Due,
        *,
        floor: Floor,
        run_id: str | None = None,
        origin: Origin = Origin.SCHEDULE,
        payload: str | None = None,
    ) -> None:
        """Give one occurrence a run beside those going on, or say why it has none."""
        if run_id is None:
            run_id = run_id_of(self.job.id, due.scheduled_time)
        place = floor.place(run_id, is_made_up=due.is_made_up)
        if place is Place.SKIP:
            self._skip_behind(floor.blocked_by(), due=due, run_id=run_id, origin=origin)
            return
        self.started += 1
        run = self._placed(
            place, due=due, run_id=run_id, origin=origin, payload=payload
        )
        if run.state is RunState.CLAIMED:
            floor.claimed.add(run_id)
        self.runs.append(run)

    def _placed(
        self,
        place: Place,
        *,
        due: Due,
        run_id: str,
        origin: Origin,
        payload: str | None,
    ) -> Run:
        definition = self.job.definition
        state = RunState.WAITING if place is Place.WAIT else RunState.READY
        instance, lease_until = None, None
        if place is Place.START and self.claimed < self.claimant.claims_max:
            self.claimed += 1
            state = advance(state, RunMove.CLAIM)
            instance = self.claimant.instance
            lease_until = Instant(self.now + self.claimant.lease_us)
        return Run(
            id=run_id,
            job_id=definition.id,
            handler=definition.handler,
            payload=payload_of(self.job) if payload is None else payload,
            origin=origin,
            scheduled_time=due.scheduled_time,
            due_time=due.due_time,
            ready_at=due.due_time,
            state=state,
            instance=instance,
            lease_until=lease_until,
        )

    def _skip_behind(
        self, blocked_by: str, *, due: Due, run_id: str, origin: Origin
    ) -> None:
        span = Span(first=due.scheduled_time, last=due.scheduled_time, count=1)
        if origin is Origin.SCHEDULE and self._extends_last(span):
            return
        self.skip(
            span,
            outcome=Outcome.SKIPPED_OVERLAP,
            reason=blocked_by,
            run_id=run_id,
            origin=origin,
        )

    def _extends_last(self, span: Span) -> bool:
        """Let neighbours that are skipped in one plan share one record."""
        if not self.runs or self.runs[-1].outcome is not Outcome.SKIPPED_OVERLAP:
            return False
        last, tally = self.runs[-1], self.tallies[-1]
        if any(last.scheduled_time < run.scheduled_time for run in self.runs):
            return False  # what was missed lies in between
        self.runs[-1] = changed(
            last, count=last.count + span.count, until_time=span.last
        )
        self.tallies[-1] = replace(tally, count=tally.count + span.count)
        return True

    def skip(
        self,
        span: Span,
        *,
        outcome: Outcome,
        reason: str,
        run_id: str | None = None,
        origin: Origin = Origin.SCHEDULE,
    ) -> None:
        """Record occurrences that are not run."""
        if not span.is_exact:
            reason = f"{reason}; at least {span.count} of them"
        job_id, now = self.job.id, self.now
        retention = self.claimant.retention
        record_id = run_id_of(job_id, span.first) if run_id is None else run_id
        self.runs.append(
            Run(
                id=record_id,
                job_id=job_id,
                handler=self.job.definition.handler,
                origin=origin,
                scheduled_time=span.first,
                due_time=span.first,
                ready_at=span.first,
                state=RunState.FINISHED,
                attempt=0,
                outcome=outcome,
                reason=reason,
                finished_at=now,
                count=span.count,
                until_time=span.last if span.count > 1 else None,
                keep_until=retention.keep_until(outcome, ended_at=now),
            )
        )
        self.tallies.append(
            Tally(
                job_id=job_id,
                outcome=outcome,
                count=span.count,
                finished_at=now,
                record_id=record_id,
            )
        )
        self.tell(EventKind.OCCURRENCE_SKIPPED, detail=f"{outcome}: {reason}")

    def tell(
        self,
        kind: EventKind,
        *,
        detail: str = "",
        job_id: str | None = None,
        run_id: str | None = None,
    ) -> None:
        """Add an event about the job, or another one that it stands for."""
        self.events.append(
            Event(
                at=self.now,
                kind=kind,
                instance=self.claimant.instance,
                job_id=self.job.id if job_id is None else job_id,
                run_id=run_id,
                detail=detail,
            )
        )
