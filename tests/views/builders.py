"""Records as a store would give them, for the tests of views."""

from __future__ import annotations

from typing import Any

from nvent_sched import Cron, Interval
from nvent_sched._model.events import Event, EventKind
from nvent_sched._model.instants import SECOND_US, Instant, instant_from
from nvent_sched._model.jobs import Job, JobDefinition, JobStatus
from nvent_sched._model.runs import Outcome, Run, RunState
from nvent_sched._model.statistics import JobStats
from nvent_sched.testing.clock import START

NOW = instant_from(START)
HOURLY = Interval(hours=1).spec()
DAILY = Cron("30 2 * * *", timezone="Europe/Berlin").spec()


def at(seconds: float) -> Instant:
    """Say a moment so many seconds after `NOW`."""
    return Instant(NOW + round(seconds * SECOND_US))


def a_job(job_id: str = "job", *, schedule: str = HOURLY, **fields: Any) -> Job:  # noqa: ANN401
    names = JobDefinition.__dataclass_fields__.keys() & fields.keys()
    definition = JobDefinition(
        id=job_id,
        **{"name": job_id, "handler": "work", "schedule": schedule}
        | {name: fields.pop(name) for name in names},
    )
    known: dict[str, Any] = {
        "version": 1,
        "status": JobStatus.ACTIVE,
        "anchor": NOW,
        "considered_until": NOW,
        "next_time": at(3600),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Job(definition=definition, **known | fields)


def a_run(run_id: str = "job@1", *, job_id: str = "job", **fields: Any) -> Run:  # noqa: ANN401
    known: dict[str, Any] = {
        "handler": "work",
        "scheduled_time": NOW,
        "due_time": NOW,
        "ready_at": NOW,
    }
    return Run(id=run_id, job_id=job_id, **known | fields)


def going(run_id: str = "job@1", *, job_id: str = "job", **fields: Any) -> Run:  # noqa: ANN401
    known: dict[str, Any] = {
        "state": RunState.CLAIMED,
        "instance": "i1",
        "lease_until": at(300),
        "started_at": NOW,
    }
    return a_run(run_id, job_id=job_id, **known | fields)


def ended(
    run_id: str = "job@1",
    *,
    job_id: str = "job",
    outcome: Outcome = Outcome.SUCCEEDED,
    took: float = 1,
    start: float = 0,
    **fields: Any,  # noqa: ANN401
) -> Run:
    """Make a run that ended, after so many seconds."""
    return a_run(
        run_id,
        job_id=job_id,
        state=RunState.FINISHED,
        outcome=outcome,
        started_at=at(start),
        finished_at=at(start + took),
        **fields,
    )


def stats(job_id: str = "job", **fields: Any) -> JobStats:  # noqa: ANN401
    return JobStats(job_id=job_id, **fields)


def told(
    kind: EventKind,
    *,
    job_id: str | None = "job",
    run_id: str | None = None,
    seconds: float = 0,
    detail: str = "",
) -> Event:
    return Event(
        at=at(seconds),
        kind=kind,
        instance="i1",
        job_id=job_id,
        run_id=run_id,
        detail=detail,
    )
