"""What readers ask for: pages, and the store at a glance. Changes nothing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from typing import TYPE_CHECKING

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import Page, StoreSummary, next_after
from nvent_sched._model.roles import is_wait
from nvent_sched._model.runs import RunState
from nvent_sched.adapters.memory.records import (
    DUE,
    JOBS,
    READY,
    RUNS,
    ids_of,
)
from nvent_sched.adapters.memory.sums import summed
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.queries import JobQuery, RunQuery
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats
    from nvent_sched.adapters.memory.records import Entry, JobRecord
    from nvent_sched.adapters.memory.tables import Tables


def job_page(tables: Tables, query: JobQuery) -> Page[Job]:
    """Read jobs in the order of their ids."""
    if query.ids is None:
        listed = ids_of(tables.order[JOBS])
        start = 0 if query.after is None else bisect_right(listed, query.after)
        wanted = listed[start:]
    else:
        after = query.after or ""
        wanted = sorted(job_id for job_id in set(query.ids) if job_id > after)
    found: list[Job] = []
    for job in tables.readable(wanted):
        if query.finds(job):
            if len(found) == query.limit:
                return Page(items=tuple(found), next=found[-1].id)
            found.append(job)
    return Page(items=tuple(found))


def run_page(tables: Tables, query: RunQuery) -> Page[Run]:
    """Read runs, newest occurrence first."""
    entries = tables.order[RUNS]
    if query.ids is not None:
        known = (tables.runs[each].bare for each in set(query.ids) & tables.runs.keys())
        entries = sorted((run.scheduled_time, run.id) for run in known)
    place = query.after_place()
    end = len(entries) if place is None else bisect_left(entries, place)
    found: list[Entry] = []
    for entry in reversed(entries[:end]):
        if query.finds(tables.runs[entry[1]].bare):
            if len(found) == query.limit:
                return Page(items=_runs(tables, found), next=next_after(found[-1]))
            found.append(entry)
    return Page(items=_runs(tables, found))


def _runs(tables: Tables, entries: list[Entry]) -> tuple[Run, ...]:
    return tuple(tables.runs[run_id].run() for run_id in ids_of(entries))


def summary_of(tables: Tables, *, now: Instant, is_deep: bool) -> StoreSummary:
    """Look at the store as a whole."""
    jobs = [each for each in tables.jobs.values() if each.quarantine is None]
    states = Counter(record.bare.state for record in tables.runs.values())
    finished_runs = states.pop(RunState.FINISHED, 0)
    looks = [
        look_at
        for job in jobs
        if (look_at := job.standing["look_at"]) is not None
        and job.standing["status"] is JobStatus.ACTIVE
    ]
    return StoreSummary(
        jobs=_by_status(job for job in jobs if not is_wait(job.id)),
        waits=_by_status(job for job in jobs if is_wait(job.id)),
        live_runs=dict(states),
        finished_runs=finished_runs,
        oldest_look_at=min(looks, default=None),
        unresolved=_unresolved(tables, now=now),
        quarantined={
            each.id: each.quarantine
            for each in tables.jobs.values()
            if each.quarantine is not None
        },
        findings=tuple(_findings(tables)) if is_deep else (),
        settings={},
        dangers=(),
    )


def _by_status(jobs: Iterable[JobRecord]) -> dict[JobStatus, int]:
    return dict(Counter(job.standing["status"] for job in jobs))


def _unresolved(tables: Tables, *, now: Instant) -> dict[str, int]:
    listed = {name for each in tables.instances.values() for name in each.handlers}
    waiting: Counter[str] = Counter()
    for kind in (DUE, READY):
        for handler in tables.order.names(kind) - listed:
            waiting[handler] += sum(
                1 for _ in tables.order.merged(kind, [handler], until=now)
            )
    return dict(+waiting)


def _findings(tables: Tables) -> Iterator[str]:
    jobs, runs = tables.jobs.values(), tables.runs.values()
    for read in (*(each.job for each in jobs), *(each.run for each in runs)):
        try:
            read()
        except StoreError as error:
            yield str(error)
    places = (*(each.places() for each in jobs), *(each.places() for each in runs))
    if tables.order.size != sum(map(len, places)):
        yield "the order and the records disagree"
    for record in runs:
        run = record.bare
        if run.fence > tables.fence:
            yield f"run {run.id} has a fence above every one given out"
        if run.state is RunState.WAITING and not _will_look_at(tables, run.job_id):
            yield f"run {run.id} waits, and nothing will ever look at its job"


def stats_of(tables: Tables, job_ids: Sequence[str] | None) -> tuple[JobStats, ...]:
    """Read the statistics of jobs, or of all of them added up."""
    if job_ids is None:
        return (summed(tables.stats.values()),)
    return tuple(map(tables.stats_of, job_ids))


def _will_look_at(tables: Tables, job_id: str) -> bool:
    """Whether a job is going to be looked at, by time or when a run of it ends."""
    record = tables.jobs.get(job_id)
    if record is None:
        return False
    standing = record.standing
    is_waiting = standing["looks_on_finish"] and tables.is_active(job_id)
    return is_waiting or standing["look_at"] is not None
