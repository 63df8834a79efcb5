"""Values to fields and back. Knows the names of fields, and no key.

Where a job or a run stands is one text, whose first fields the scripts read too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import DueJob, LiveRun
from nvent_sched._model.instances import Instance
from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import Job, JobDefinition, JobStatus
from nvent_sched._model.runs import Origin, Outcome, Run, RunState
from nvent_sched.adapters._codec import (
    UNREADABLE,
    attempts_from,
    attempts_text,
    compact,
    definition_from,
    lines_from,
    lines_text,
    names_from,
    payload_from,
    quoted,
    result_from,
)
from nvent_sched.errors import StoreCorruptError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Row = list[Any]
PART: Final = "\x1f"
_STAND_FIELDS: Final = 12
_STATUS: Final = {status.value: status for status in JobStatus}
FENCE: Final = 1
SCHEDULED_TIME: Final = 4
"""Places among the fields of a run, as the one before."""
_DETAILS: Final = 4
_STATE: Final = {state.value: state for state in RunState}
_OUTCOME: Final = {outcome.value: outcome for outcome in Outcome}
_ORIGIN: Final = {origin.value: origin for origin in Origin}


def stand_text(job: Job) -> str:
    """Write where a job stands."""
    return PART.join(
        (
            str(job.version),
            job.status.value,
            "1" if job.looks_on_finish else "0",
            "" if job.look_at is None else str(job.look_at),
            job.definition.handler,
            str(job.planned),
            str(job.anchor),
            _unless(job.considered_until, job.anchor),
            "" if job.next_time is None else str(job.next_time),
            _unless(job.created_at, job.anchor),
            _unless(job.updated_at, job.anchor),
            job.note,
        )
    )


def _unless(at: Instant, usual: Instant) -> str:
    """Write an instant; nothing for the usual one."""
    return "" if at == usual else str(at)


def job_from(stand: str, definition: str) -> Job:
    """Read a job.

    Raises:
        StoreError: It cannot be read.
    """
    return _job_from(stand, definition_from(definition))


def _job_from(stand: str, definition: JobDefinition) -> Job:
    fields = stand.split(PART, _STAND_FIELDS - 1)
    try:
        version, status, looks, look_at, _, planned, *times, note = fields
        anchor, considered, following, created, updated = times
        return Job(
            definition=definition,
            version=int(version),
            status=_STATUS[status],
            looks_on_finish=looks == "1",
            look_at=_instant(look_at),
            planned=int(planned),
            anchor=Instant(int(anchor)),
            considered_until=Instant(int(considered or anchor)),
            next_time=_instant(following),
            created_at=Instant(int(created or anchor)),
            updated_at=Instant(int(updated or anchor)),
            note=note,
        )
    except (AssertionError, *UNREADABLE) as error:
        msg = f"where job {definition.id!r} stands cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error


def _instant(text: str) -> Instant | None:
    return Instant(int(text)) if text else None


def run_text(run: Run, *, details: str) -> str:
    """Write where a run stands, as `_run_texts.lua` reads it; usual values as nothing.

    Args:
        run: The run.
        details: What `details_text` wrote of it.
    """
    scheduled = run.scheduled_time
    return PART.join(
        (
            # What the scripts ask for.
            run.state,
            str(run.fence),
            run.job_id,
            run.handler,
            str(scheduled),
            str(run.ready_at),
            run.instance or "",
            "" if run.lease_until is None else str(run.lease_until),
            "" if run.keep_until is None else str(run.keep_until),
            _quoted(run.cancel_reason),
            "",  # the request that claimed it, which only the store knows
            _unless(run.due_time, scheduled),
            "1" if details else "",
            # What the scripts may change.
            run.outcome or "",
            "" if run.finished_at is None else str(run.finished_at),
            _quoted(run.reason),
            "" if run.started_at is None else str(run.started_at),
            "" if run.progress is None else str(run.progress),
            _quoted(run.progress_note),
            # What they leave as it is.
            "" if run.origin is Origin.SCHEDULE else run.origin,
            "" if run.attempt == 1 else str(run.attempt),
            str(run.crashes) if run.crashes else "",
            "" if run.count == 1 else str(run.count),
            "" if run.until_time is None else str(run.until_time),
        )
    )


def fence_in(text: str | None) -> str | None:
    """Read the token of a run from what `run_text` wrote; None if there is none."""
    fields = (text or "").split(PART, FENCE + 1)
    return fields[FENCE] if len(fields) > FENCE else None


def details_text(run: Run) -> str:
    """Write what of a run may be long; nothing if there is none of it."""
    if run.error is run.result is None and not run.log and not run.attempts:
        return ""
    return PART.join(
        (
            _quoted(run.error),
            run.result or "",
            lines_text(run.log) or "",
            attempts_text(run.attempts) or "",
        )
    )


def _quoted(text: str | None) -> str:
    return "" if text is None else quoted(text)


def unquoted(text: str) -> str:
    """Read what somebody said; what was damaged is taken as it is."""
    try:
        said = json.loads(text)
    except ValueError:
        return text
    return said if isinstance(said, str) else text


def run_from(row: Sequence[str]) -> Run:
    """Read a run.

    Raises:
        StoreError: It cannot be read.
    """
    run_id, text, payload, details = row
    more = details.split(PART) if details else [""] * _DETAILS
    try:
        payload = payload_from(payload or "{}")
        return _run_from(run_id, payload, [*text.split(PART), *more])
    except (AssertionError, *UNREADABLE) as error:
        msg = f"run {run_id!r} cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error


def _run_from(run_id: str, payload: str, fields: Sequence[str]) -> Run:
    state, fence, job_id, handler, scheduled, ready, instance, *fields = fields
    lease, keep, cancel, _, due, _, outcome, finished, reason, *fields = fields
    started, progress, note, origin, attempt, crashes, count, *fields = fields
    until_time, error, result, log, attempts = fields
    return Run(
        id=run_id,
        job_id=job_id,
        handler=handler,
        payload=payload,
        origin=_ORIGIN[origin or Origin.SCHEDULE],
        scheduled_time=Instant(int(scheduled)),
        due_time=Instant(int(due or scheduled)),
        ready_at=Instant(int(ready)),
        state=_STATE[state],
        attempt=int(attempt or 1),
        crashes=int(crashes or 0),
        fence=int(fence),
        instance=instance or None,
        lease_until=_instant(lease),
        keep_until=_instant(keep),
        started_at=_instant(started),
        finished_at=_instant(finished),
        outcome=_OUTCOME[outcome] if outcome else None,
        reason=_said(reason),
        error=_said(error),
        result=result_from(result or None),
        log=lines_from(log or None),
        attempts=attempts_from(attempts or None),
        progress=float(progress) if progress else None,
        progress_note=_said(note),
        cancel_reason=_said(cancel),
        count=int(count or 1),
        until_time=_instant(until_time),
    )


def _said(text: str) -> str | None:
    if not text:
        return None
    said = json.loads(text)
    if not isinstance(said, str):
        msg = f"not a text: {text[:80]!r}"
        raise TypeError(msg)
    # Half of a surrogate pair is given as what it looks like: nobody could print it.
    return said.encode("utf-8", "backslashreplace").decode()


def readable_runs(replies: Iterable[Sequence[Any]]) -> Iterator[Run]:
    """Read runs; one that cannot be read stands in no other's way.

    `summary` tells of it.
    """
    for row in replies:
        try:
            yield run_from(row)
        except StoreError:
            continue


def facts_from(reply: Sequence[str]) -> DueJob:
    """Read what a plan for a job needs.

    Raises:
        StoreError: The job cannot be read.
    """
    _, stand, definition, ended, *live = reply
    return DueJob(
        job=job_from(stand, definition),
        live=tuple(_readable_live(live)) if live else (),
        last_finished_at=instant_of(ended),
    )


def _readable_live(row: Sequence[str]) -> Iterator[LiveRun]:
    """Read live runs; `summary` tells of one that cannot be read."""
    for run_id, state, scheduled, due, is_cancelled in zip(
        *[iter(row)] * 5, strict=True
    ):
        try:
            yield LiveRun(
                id=run_id,
                state=RunState(state),
                scheduled_time=Instant(int(scheduled)),
                due_time=Instant(int(due)),
                is_cancelled=is_cancelled == "1",
            )
        except UNREADABLE:
            continue


def instant_of(text: str) -> Instant | None:
    """Read a time; None for an empty text, or for what is no time."""
    if not text:
        return None
    try:
        return Instant(int(text))
    except ValueError:
        pass
    try:
        return Instant(int(float(text)))
    except (ValueError, OverflowError):
        return None


def instance_text(instance: Instance) -> str:
    """Write what an instance says of itself, without its heartbeat."""
    return compact(
        {
            "host": instance.host,
            "pid": instance.pid,
            "release": instance.release,
            "started_at": instance.started_at,
            "handlers": instance.handlers,
            "slots": instance.slots,
            "running": instance.running,
        }
    )


def instance_from(instance_id: str, text: str, *, heartbeat: str) -> Instance:
    """Read an instance.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        record = json.loads(text)
        record["handlers"] = names_from(compact(record["handlers"]), of=instance_id)
        return Instance(
            id=instance_id, heartbeat_at=Instant(int(float(heartbeat))), **record
        )
    except (OverflowError, *UNREADABLE) as error:
        msg = f"instance {instance_id!r} cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error


def pairs(flat: Sequence[str]) -> Mapping[str, str]:
    """Read names and values that follow one another."""
    return dict(zip(flat[::2], flat[1::2], strict=True))
