"""Runs to text and back: where one stands, which the scripts read too, and its details."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import Instant
from nvent_sched._model.runs import Origin, Outcome, Run, RunState
from nvent_sched.adapters._codec import (
    UNREADABLE,
    attempts_from,
    attempts_text,
    lines_from,
    lines_text,
    payload_from,
    quoted,
    result_from,
)
from nvent_sched.adapters.redis.rows import PART, instant_in, unless
from nvent_sched.errors import StoreCorruptError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

FENCE: Final = 1
SCHEDULED_TIME: Final = 4
"""Places among the fields of a run, as the one before."""
_DETAILS: Final = 4
_STATE: Final = {state.value: state for state in RunState}
_OUTCOME: Final = {outcome.value: outcome for outcome in Outcome}
_ORIGIN: Final = {origin.value: origin for origin in Origin}


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
            unless(run.due_time, scheduled),
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
        return _said(text) or ""
    except UNREADABLE:
        return text


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
        lease_until=instant_in(lease),
        keep_until=instant_in(keep),
        started_at=instant_in(started),
        finished_at=instant_in(finished),
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
        until_time=instant_in(until_time),
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
