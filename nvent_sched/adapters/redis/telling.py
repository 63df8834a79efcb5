"""Events to text and back."""

from __future__ import annotations

import json

from nvent_sched._model.events import Event, EventKind
from nvent_sched._model.instants import Instant
from nvent_sched.adapters._codec import UNREADABLE, quoted
from nvent_sched.errors import StoreCorruptError


def event_text(event: Event) -> str:
    """Write an event, without its number."""
    job_id = "null" if event.job_id is None else quoted(event.job_id)
    run_id = "null" if event.run_id is None else quoted(event.run_id)
    return (
        f"[{event.at},{quoted(event.kind.value)},{quoted(event.instance)},"
        f"{job_id},{run_id},{quoted(event.detail)}]"
    )


def event_from(seq: str, text: str) -> Event:
    """Read an event.

    Raises:
        StoreError: It cannot be read, or a newer release tells of what we do not know.
    """
    try:
        at, kind, instance, job_id, run_id, detail = json.loads(text)
        return Event(
            at=Instant(at),
            kind=EventKind(kind),
            instance=instance,
            job_id=job_id,
            run_id=run_id,
            detail=detail,
            seq=int(seq),
        )
    except UNREADABLE as error:
        msg = f"event {seq} cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error
