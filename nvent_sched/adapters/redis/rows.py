"""Values to fields and back. Knows the names of fields, and no key.

A run is a hash whose fields are named as in `Run`; what has its default value is left
out. Where a job stands is one text, whose first fields the scripts read too.
"""

from __future__ import annotations

import json
from operator import attrgetter
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
    result_from,
)
from nvent_sched.errors import StoreCorruptError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Row = list[Any]
PART: Final = "\x1f"
_STAND_FIELDS: Final = 12
_STATUS: Final = {status.value: status for status in JobStatus}
_INTS: Final = frozenset(
    {
        "attempt",
        "crashes",
        "fence",
        "count",
        *("scheduled_time", "due_time", "ready_at", "lease_until", "started_at"),
        *("finished_at", "until_time", "keep_until"),
    }
)
# What may change, with the value that is left out. What a script asks for comes first:
# that is how a short hash is searched.
CHANGED: Final[dict[str, object]] = {
    "state": None,
    "fence": None,
    "ready_at": None,
    "instance": None,
    "lease_until": None,
    "keep_until": None,
    "cancel_reason": None,
    "started_at": None,
    "finished_at": None,
    "outcome": None,
    "origin": Origin.SCHEDULE,
    "attempt": 1,
    "crashes": 0,
    "reason": None,
    "error": None,
    "result": None,
    "progress": None,
    "progress_note": None,
    "count": 1,
    "until_time": None,
}
_changed: Final = attrgetter(*CHANGED)
_USUAL: Final = tuple(CHANGED.items())
# A new run is given its fence by the store.
_NEW: Final = tuple(each for each in _USUAL if each[0] != "fence")
_new: Final = attrgetter(*(name for name, _ in _NEW))


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


def changed_fields(run: Run) -> Row:
    """Write what of a run may change: names and values, without what is usual."""
    return _fields(run, usual=_USUAL, values=_changed(run))


def _fields(
    run: Run, *, usual: Sequence[tuple[str, object]], values: Sequence[Any]
) -> Row:
    row: Row = []
    for (name, left_out), value in zip(usual, values, strict=True):
        if value is not None and value != left_out:
            row += (name, value)
    if run.log:
        row += ("log", lines_text(run.log) or "")
    if run.attempts:
        row += ("attempts", attempts_text(run.attempts) or "")
    return row


def run_fields(run: Run) -> Row:
    """Write all of a new run but its id and its fence: names and values."""
    scheduled = run.scheduled_time
    row = _fields(run, usual=_NEW, values=_new(run))
    row += ("job_id", run.job_id, "handler", run.handler, "scheduled_time", scheduled)
    if run.due_time != scheduled:
        row += ("due_time", run.due_time)
    if run.payload != "{}":
        row += ("payload", run.payload)
    return row


def run_from(run_id: str, row: Sequence[str]) -> Run:
    """Read a run.

    Raises:
        StoreError: It cannot be read.
    """
    fields: dict[str, Any] = dict(zip(row[::2], row[1::2], strict=True))
    log, attempts = lines_from(fields.get("log")), attempts_from(fields.get("attempts"))
    fields.pop("request", None)
    fields.setdefault("due_time", fields.get("scheduled_time"))
    try:
        payload_from(fields.get("payload", "{}"))
        result_from(fields.get("result"))
        for name in _INTS & fields.keys():
            fields[name] = int(fields[name])
        fields["state"] = RunState(fields["state"])
        if "origin" in fields:
            fields["origin"] = Origin(fields["origin"])
        if "outcome" in fields:
            fields["outcome"] = Outcome(fields["outcome"])
        if "progress" in fields:
            fields["progress"] = float(fields["progress"])
        return Run(id=run_id, **fields | {"log": log, "attempts": attempts})
    except (AssertionError, *UNREADABLE) as error:
        msg = f"run {run_id!r} cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error


def readable_runs(replies: Iterable[Sequence[Any]]) -> Iterator[Run]:
    """Read runs; one that cannot be read stands in no other's way.

    `summary` tells of it.
    """
    for run_id, row in replies:
        try:
            yield run_from(run_id, row)
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
