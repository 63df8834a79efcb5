"""Values to text and back. Knows the order of fields, and no key.

Where a job stands is one text, whose first fields the scripts read too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import DueJob, LiveRun
from nvent_sched._model.instances import Instance
from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import Job, JobDefinition, JobStatus
from nvent_sched._model.runs import RunState
from nvent_sched.adapters._codec import (
    UNREADABLE,
    compact,
    definition_from,
    names_from,
)
from nvent_sched.errors import StoreCorruptError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Row = list[Any]
PART: Final = "\x1f"
_STAND_FIELDS: Final = 12
_STATUS: Final = {status.value: status for status in JobStatus}


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
            unless(job.considered_until, job.anchor),
            "" if job.next_time is None else str(job.next_time),
            unless(job.created_at, job.anchor),
            unless(job.updated_at, job.anchor),
            job.note,
        )
    )


def unless(at: Instant, usual: Instant) -> str:
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
            look_at=instant_in(look_at),
            planned=int(planned),
            anchor=Instant(int(anchor)),
            considered_until=Instant(int(considered or anchor)),
            next_time=instant_in(following),
            created_at=Instant(int(created or anchor)),
            updated_at=Instant(int(updated or anchor)),
            note=note,
        )
    except (AssertionError, *UNREADABLE) as error:
        msg = f"where job {definition.id!r} stands cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error


def instant_in(text: str) -> Instant | None:
    """Read a time; None for an empty text.

    Raises:
        ValueError: It is no time.
    """
    return Instant(int(text)) if text else None


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
