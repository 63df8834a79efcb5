"""Rows to values and back. Knows the columns, and no statement but their names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import LiveRun
from nvent_sched._model.events import Event, EventKind
from nvent_sched._model.instances import Instance
from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._model.runs import Origin, Outcome, Run, RunState
from nvent_sched.adapters._codec import (
    attempts_from,
    attempts_text,
    definition_from,
    definition_text,
    lines_from,
    lines_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = tuple[Any, ...]

STANDING: Final = (
    "version, status, note, anchor, considered_until, next_time, look_at, "
    "looks_on_finish, planned, created_at, updated_at"
)
JOB: Final = f"definition, {STANDING}"
RUN: Final = (
    "id, job_id, handler, payload, origin, scheduled_time, due_time, ready_at, state, "
    "attempt, crashes, fence, instance, lease_until, started_at, finished_at, outcome, "
    "reason, error, result, log, progress, progress_note, cancel_reason, attempts, "
    "count, until_time, keep_until"
)
INSTANCE: Final = (
    "id, host, pid, release, started_at, heartbeat_at, handlers, slots, running"
)
EVENT: Final = "at, kind, instance, job_id, run_id, detail, seq"
_STATUS: Final = {status.value: status for status in JobStatus}
_STATE: Final = {state.value: state for state in RunState}
_ORIGIN: Final = {origin.value: origin for origin in Origin}
_OUTCOME: Final = {outcome.value: outcome for outcome in Outcome}


def standing_of(job: Job) -> Row:
    """Write where a job stands, in the order of `STANDING`."""
    return (
        job.version,
        job.status.value,
        job.note,
        job.anchor,
        job.considered_until,
        job.next_time,
        job.look_at,
        job.looks_on_finish,
        job.planned,
        job.created_at,
        job.updated_at,
    )


def job_row(job: Job) -> Row:
    """Write a job: id, name, handler, definition, then `STANDING`."""
    definition = job.definition
    return (
        definition.id,
        definition.name,
        definition.handler,
        definition_text(definition),
        *standing_of(job),
    )


def job_from(row: Sequence[Any]) -> Job:
    """Read a row of `JOB`.

    Raises:
        StoreError: The definition cannot be read.
    """
    return Job(
        definition=definition_from(row[0]),
        version=row[1],
        status=_STATUS[row[2]],
        note=row[3],
        anchor=row[4],
        considered_until=row[5],
        next_time=row[6],
        look_at=row[7],
        looks_on_finish=bool(row[8]),
        planned=row[9],
        created_at=row[10],
        updated_at=row[11],
    )


def run_row(run: Run, *, fence: int) -> Row:
    """Write a run, in the order of `RUN`."""
    outcome = run.outcome
    return (
        run.id,
        run.job_id,
        run.handler,
        None if run.payload == "{}" else run.payload,
        run.origin.value,
        run.scheduled_time,
        run.due_time,
        run.ready_at,
        run.state.value,
        run.attempt,
        run.crashes,
        fence,
        run.instance,
        run.lease_until,
        run.started_at,
        run.finished_at,
        None if outcome is None else outcome.value,
        run.reason,
        run.error,
        run.result,
        lines_text(run.log),
        run.progress,
        run.progress_note,
        run.cancel_reason,
        attempts_text(run.attempts),
        run.count,
        run.until_time,
        run.keep_until,
    )


def run_from(row: Sequence[Any]) -> Run:
    """Read a row of `RUN`.

    Raises:
        StoreError: Its attempts or its log cannot be read.
    """
    return Run(
        id=row[0],
        job_id=row[1],
        handler=row[2],
        payload=row[3] or "{}",
        origin=_ORIGIN[row[4]],
        scheduled_time=row[5],
        due_time=row[6],
        ready_at=row[7],
        state=_STATE[row[8]],
        attempt=row[9],
        crashes=row[10],
        fence=row[11],
        instance=row[12],
        lease_until=row[13],
        started_at=row[14],
        finished_at=row[15],
        outcome=None if row[16] is None else _OUTCOME[row[16]],
        reason=row[17],
        error=row[18],
        result=row[19],
        log=lines_from(row[20]),
        progress=row[21],
        progress_note=row[22],
        cancel_reason=row[23],
        attempts=attempts_from(row[24]),
        count=row[25],
        until_time=row[26],
        keep_until=row[27],
    )


def live_from(row: Sequence[Any]) -> LiveRun:
    """Read id, state, scheduled time, due time and cancel reason."""
    return LiveRun(
        id=row[0],
        state=_STATE[row[1]],
        scheduled_time=row[2],
        due_time=row[3],
        is_cancelled=row[4] is not None,
    )


def instance_row(instance: Instance, *, now: Instant) -> Row:
    """Write an instance heard of now, in the order of `INSTANCE`."""
    return (
        instance.id,
        instance.host,
        instance.pid,
        instance.release,
        instance.started_at,
        now,
        json.dumps(instance.handlers),
        instance.slots,
        instance.running,
    )


def instance_from(row: Sequence[Any]) -> Instance:
    """Read a row of `INSTANCE`."""
    return Instance(
        id=row[0],
        host=row[1],
        pid=row[2],
        release=row[3],
        started_at=row[4],
        heartbeat_at=row[5],
        handlers=tuple(json.loads(row[6])),
        slots=row[7],
        running=row[8],
    )


def event_row(event: Event) -> Row:
    """Write an event, in the order of `EVENT` without its number."""
    return (
        event.at,
        event.kind.value,
        event.instance,
        event.job_id,
        event.run_id,
        event.detail,
    )


def event_from(row: Sequence[Any]) -> Event:
    """Read a row of `EVENT`."""
    return Event(
        at=Instant(row[0]),
        kind=EventKind(row[1]),
        instance=row[2],
        job_id=row[3],
        run_id=row[4],
        detail=row[5],
        seq=row[6],
    )
