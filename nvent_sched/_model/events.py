"""What subscribers are told. Events are hints: bounded, and possibly lost. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nvent_sched._model.values import quick

if TYPE_CHECKING:
    from nvent_sched._model.instants import Instant


class EventKind(StrEnum):
    """What happened. A closed set."""

    JOB_ADDED = "job_added"
    JOB_CHANGED = "job_changed"
    JOB_PAUSED = "job_paused"
    JOB_RESUMED = "job_resumed"
    JOB_REMOVED = "job_removed"
    JOB_FINISHED = "job_finished"
    JOB_QUARANTINED = "job_quarantined"
    OCCURRENCE_SKIPPED = "occurrence_skipped"
    RUN_STARTED = "run_started"
    RUN_FINISHED = "run_finished"
    RUN_RETRYING = "run_retrying"
    RUN_RECOVERED = "run_recovered"
    RUN_LOST = "run_lost"
    RUN_FENCED = "run_fenced"
    STALLED = "stalled"
    RECOVERED = "recovered"
    INSTANCE_STARTED = "instance_started"
    INSTANCE_STOPPED = "instance_stopped"
    INSTANCE_DIED = "instance_died"
    CLOCK_JUMPED = "clock_jumped"
    LOOP_BLOCKED = "loop_blocked"
    STORE_TROUBLE = "store_trouble"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        at: When, in the clock of who tells it.
        kind: What.
        instance: Who tells it.
        job_id: Which job, if one.
        run_id: Which run, if one.
        detail: A few words: an outcome, a reason, an amount.
        seq: The store's number for it, growing; 0 before it is published.
    """

    at: Instant
    kind: EventKind
    instance: str
    job_id: str | None = None
    run_id: str | None = None
    detail: str = ""
    seq: int = 0
