"""Rows to values and back. Knows the columns, and no statement but their names."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import LiveRun
from nvent_sched._model.events import Event, EventKind
from nvent_sched._model.instances import Instance
from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._model.runs import Origin, Outcome, Run, RunState
from nvent_sched._model.values import maker
from nvent_sched.adapters._codec import (
    UNREADABLE,
    attempts_from,
    attempts_text,
    definition_from,
    definition_text,
    lines_from,
    lines_text,
    names_from,
    payload_from,
    result_from,
)
from nvent_sched.errors import StoreCorruptError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
# A run that has just been planned has no more than this, and an end that has nothing to
# say changes no more: half the columns, half the cost.
BARE_RUN: Final = (
    "id, job_id, handler, payload, origin, scheduled_time, due_time, ready_at, state, "
    "attempt, crashes, fence, instance, lease_until, count"
)
BARE_END: Final = (
    "origin, ready_at, attempt, crashes, fence, instance, started_at, finished_at, "
    "outcome, result, keep_until"
)
SAID: Final = "reason, error, log, progress, progress_note, cancel_reason, attempts"
INSTANCE: Final = (
    "id, host, pid, release, started_at, heartbeat_at, handlers, slots, running"
)
EVENT: Final = "at, kind, instance, job_id, run_id, detail, seq"
_STATUS: Final = {status.value: status for status in JobStatus}
_STATE: Final = {state.value: state for state in RunState}
_ORIGIN: Final = {origin.value: origin for origin in Origin}
_OUTCOME: Final = {outcome.value: outcome for outcome in Outcome}
EVENT_KINDS: Final = ", ".join(f"'{kind}'" for kind in EventKind)


_standing: Final = attrgetter(*STANDING.split(", "))
_run: Final = attrgetter(*RUN.split(", "))
_bare: Final = attrgetter(*BARE_RUN.split(", "))
_MORE: Final = tuple(
    name for name in RUN.split(", ") if name not in BARE_RUN.split(", ")
)
_more: Final = attrgetter(*_MORE)
_NO_MORE: Final = tuple(() if name in {"log", "attempts"} else None for name in _MORE)
_end: Final = attrgetter(*BARE_END.split(", "))
_said: Final = attrgetter(*SAID.split(", "))
_NOT_SAID: Final = tuple(
    () if name in {"log", "attempts"} else None for name in SAID.split(", ")
)


_make_job: Final = maker(Job, JOB.split(", "))
_make_run: Final = maker(Run, RUN.split(", "))


def clean(text: str | None) -> str | None:
    """Make text that can be stored: half of a surrogate pair has no UTF-8."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()


def standing_of(job: Job) -> Row:
    """Write where a job stands, in the order of `STANDING`."""
    # `str`: the driver looks for an adapter of every class but the plain ones.
    version, status, note, *rest = _standing(job)
    return (version, str(status), clean(note), *rest)


def job_row(job: Job) -> Row:
    """Write a job: id, name, handler, definition, then `STANDING`."""
    definition = job.definition
    return (
        definition.id,
        definition.name,
        definition.handler,
        clean(definition_text(definition)),
        *standing_of(job),
    )


def job_from(row: Sequence[Any]) -> Job:
    """Read a row of `JOB`.

    Raises:
        StoreError: It cannot be read.
    """
    text, version, status, *rest = row
    definition = definition_from(text)
    try:
        rest[5] = bool(rest[5])
        return _make_job((definition, version, _STATUS[status], *rest))
    except (AssertionError, *UNREADABLE) as error:
        msg = f"where job {definition.id!r} stands cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error


def run_row(run: Run, *, fence: int) -> list[Any]:
    """Write a run, in the order of `RUN`."""
    row = list(_run(run))
    if row[3] == "{}":
        row[3] = None
    row[4], row[8], row[11] = str(row[4]), str(row[8]), fence
    if row[16] is not None:
        row[16] = str(row[16])
    for place in (17, 18, 19, 22, 23):
        if row[place] is not None:
            row[place] = clean(row[place])
    row[20], row[24] = clean(lines_text(row[20])), clean(attempts_text(row[24]))
    return row


def bare_run_row(run: Run, *, fence: int) -> list[Any] | None:
    """Write a run, in the order of `BARE_RUN`; None if it has more than that."""
    if _more(run) != _NO_MORE:
        return None
    row = list(_bare(run))
    if row[3] == "{}":
        row[3] = None
    row[4], row[8], row[11] = str(row[4]), str(row[8]), fence
    return row


def bare_end_row(run: Run) -> list[Any] | None:
    """Write the end of a run, in the order of `BARE_END`; None if it has more to say."""
    if run.outcome is None or _said(run) != _NOT_SAID:
        return None
    row = list(_end(run))
    row[0], row[8], row[9] = str(row[0]), str(row[8]), clean(row[9])
    return row


def run_from(row: Sequence[Any]) -> Run:
    """Read a row of `RUN`.

    Raises:
        StoreError: It cannot be read.
    """
    fields = list(row)
    fields[20], fields[24] = lines_from(row[20]), attempts_from(row[24])
    try:
        fields[3] = payload_from(row[3] or "{}")
        fields[19] = result_from(row[19])
        fields[4], fields[8] = _ORIGIN[row[4]], _STATE[row[8]]
        fields[16] = None if row[16] is None else _OUTCOME[row[16]]
        return _make_run(fields)
    except (AssertionError, *UNREADABLE) as error:
        msg = f"run {row[0]!r} cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error


def readable_runs(rows: Iterable[Sequence[Any]]) -> Iterator[Run]:
    """Read rows of `RUN`; one that cannot be read stands in no other's way.

    `summary` tells of it.
    """
    for row in rows:
        try:
            yield run_from(row)
        except StoreError:
            continue


def live_from(row: Sequence[Any]) -> LiveRun | None:
    """Read id, state, scheduled time, due time and cancel reason.

    None for what cannot be read: `summary` tells of it.
    """
    state = _STATE.get(row[1])
    if state is None:
        return None
    return LiveRun(
        id=row[0],
        state=state,
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
    """Read a row of `INSTANCE`.

    Raises:
        StoreError: It cannot be read.
    """
    return Instance(
        id=row[0],
        host=row[1],
        pid=row[2],
        release=row[3],
        started_at=row[4],
        heartbeat_at=row[5],
        handlers=names_from(row[6], of=row[0]),
        slots=row[7],
        running=row[8],
    )


def event_row(event: Event) -> Row:
    """Write an event, in the order of `EVENT` without its number."""
    return (
        event.at,
        str(event.kind),
        event.instance,
        event.job_id,
        event.run_id,
        clean(event.detail),
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
