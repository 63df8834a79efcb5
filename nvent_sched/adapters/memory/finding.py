"""What has come up: jobs to look at, runs that are lost, records that may go."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from nvent_sched._model.claims import DueBatch, Lost
from nvent_sched._model.instants import Instant
from nvent_sched.adapters.memory.records import (
    DUE,
    HISTORY,
    KEPT,
    LEASES,
    READY,
    ids_of,
)
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvent_sched.adapters.memory.tables import Tables


def due_batch(
    tables: Tables, *, now: Instant, handlers: Sequence[str], limit: int
) -> DueBatch:
    """Find jobs to look at; put those that cannot be read into quarantine."""
    due = ids_of(islice(tables.order.merged(DUE, handlers, until=now), limit))
    looks = islice(tables.order.merged(DUE, handlers), len(due), None)
    next_look_at = next((Instant(at) for at, _ in looks), None)
    facts, quarantined = [], {}
    for record in [tables.jobs[job_id] for job_id in due]:
        try:
            facts.append(tables.facts(record.job()))
        except StoreError as error:
            quarantined[record.id] = str(error)
            tables.put_job(replace(record, quarantine=str(error)))
    return DueBatch(
        now=now,
        jobs=tuple(facts),
        next_look_at=next_look_at,
        next_ready_at=tables.order.first_at(READY, handlers),
        quarantined=quarantined,
    )


def lost_runs(tables: Tables, *, now: Instant, dead_after_us: int, limit: int) -> Lost:
    """Find runs nobody holds any more; take the dead without runs left off the list."""
    alive = {
        each.id: each.heartbeat_at
        for each in tables.instances.values()
        if now - each.heartbeat_at <= dead_after_us
    }
    lost = [
        run_id
        for lease_until, run_id in tables.order[LEASES]
        if lease_until <= now or tables.runs[run_id].bare.instance not in alive
    ]
    left = {tables.runs[run_id].bare.instance for run_id in lost[limit:]}
    dead = tuple(sorted(tables.instances.keys() - alive.keys() - left))
    for instance_id in dead:
        del tables.instances[instance_id]
    runs = tuple(tables.runs[run_id].run() for run_id in lost[:limit])
    oldest_beat_at = min(alive.values(), default=None)
    return Lost(now=now, runs=runs, dead=dead, oldest_beat_at=oldest_beat_at)


def prunable(
    tables: Tables, *, job_ids: Iterable[str], runs_max: int, now: Instant
) -> list[str]:
    """List records that may go: by age, then the oldest of what each job has left."""
    kept = tables.order[KEPT]
    aged = dict.fromkeys(ids_of(takewhile(lambda entry: entry[0] <= now, kept)))
    found = [*aged]
    for job_id in dict.fromkeys(job_ids):
        left = [
            each for each in ids_of(tables.order[HISTORY, job_id]) if each not in aged
        ]
        found += left[: max(0, len(left) - runs_max)]
    return found
