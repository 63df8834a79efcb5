"""Look at this instance and its store as a whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from nvent_sched._engine.hanging import hanging
from nvent_sched._engine.jobverbs import read_page
from nvent_sched._model.instants import SECOND_US, moment_from
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import JobQuery, RunQuery
from nvent_sched._model.runs import RunState
from nvent_sched._model.snapshots import HealthSnapshot, SchedulerSnapshot
from nvent_sched._rules.ahead import ahead_words, is_ahead
from nvent_sched._rules.awaiting import AWAIT_HANDLER
from nvent_sched._rules.viewing import instance_view, job_view, run_view, stats_view
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from nvent_sched._engine.core import Core
    from nvent_sched._model.queries import StoreSummary

LATE_PASS_US: Final = 60 * SECOND_US
OVERDUE_US: Final = 60 * SECOND_US
RECENT_RUNS: Final = 20
JOBS_PART: Final = 1_000
"""How many jobs are read at once."""
JOBS_OF_HEALTH: Final = 100
"""How many `health` looks at, which is asked often: a clock that is ahead is so for all."""
AHEAD_MAX: Final = 100


async def look_at(core: Core, *, is_deep: bool) -> StoreSummary:
    """Look at the store as a whole; nobody misses who only records that a wait is over.

    One who looks deep reads all jobs as well.

    Raises:
        StoreError: It cannot be read.
    """
    # By our own clock: the store may say how far it is from its own.
    summary = await core.adapter.summary(now=core.clock.now(), is_deep=is_deep)
    missed = {
        name: waiting
        for name, waiting in summary.unresolved.items()
        if name != AWAIT_HANDLER
    }
    ahead = await _ahead(core, jobs_max=None) if is_deep else ()
    return replace(summary, unresolved=missed, ahead=ahead)


async def _ahead(core: Core, *, jobs_max: int | None) -> tuple[str, ...]:
    """Tell of jobs that stand still because a clock was ahead, of the first or of all."""
    found: list[str] = []
    after: str | None = None
    while True:
        limit = JOBS_PART if jobs_max is None else jobs_max
        query = JobQuery(status=JobStatus.ACTIVE, after=after, limit=limit)
        page = await read_page(core, query)
        now = core.time.now()
        found += [ahead_words(job) for job in page if is_ahead(job, now=now)]
        if page.next is None or jobs_max is not None or len(found) >= AHEAD_MAX:
            return tuple(found[:AHEAD_MAX])
        after = page.next


async def health_of(core: Core) -> HealthSnapshot:
    """Say whether this instance does its work. Never raises for the store's sake."""
    now = core.time.now()
    summary: StoreSummary | None = None
    ahead: tuple[str, ...] = ()
    trouble = core.trouble
    try:
        summary = await look_at(core, is_deep=False)
        ahead = await _ahead(core, jobs_max=JOBS_OF_HEALTH)
    except StoreError as error:
        trouble = f"{type(error).__name__}: {error}"
    now_us = core.clock.monotonic_us()
    ages = {name: now_us - at_us for name, at_us in core.passed_at_us.items()}
    problems = [] if trouble is None else [f"store: {trouble}"]
    problems += [
        f"loop {name}: last good pass {age_us / SECOND_US:.0f} s ago"
        for name, age_us in ages.items()
        if age_us > LATE_PASS_US and name in {"planner", "liveness"}
    ]
    problems += hanging(core)
    overdue_us = 0
    if summary is not None:
        if summary.oldest_look_at is not None:
            overdue_us = max(0, now - summary.oldest_look_at)
        if overdue_us > OVERDUE_US:
            problems.append(f"the oldest due job waits {overdue_us / SECOND_US:.0f} s")
        problems += [
            f"no instance has handler {name!r}: {waiting} due"
            for name, waiting in summary.unresolved.items()
        ]
        problems += [
            f"job {job_id!r} is in quarantine: {reason}"
            for job_id, reason in summary.quarantined.items()
        ]
    problems += ahead
    return HealthSnapshot(
        is_ok=not problems,
        instance=core.instance_id,
        running=len(core.claims) - len(core.unstarted),
        slots=sum(core.limits.values()),
        store=trouble,
        pass_age={
            name: timedelta(microseconds=age_us) for name, age_us in ages.items()
        },
        overdue=timedelta(microseconds=overdue_us) if overdue_us else None,
        unresolved={} if summary is None else summary.unresolved,
        quarantined={} if summary is None else summary.quarantined,
        problems=tuple(problems),
    )


async def snapshot_of(core: Core, *, jobs_max: int) -> SchedulerSnapshot:
    """Read everything a view shows, at most *jobs_max* jobs."""
    adapter = core.adapter
    page = await read_page(core, JobQuery(limit=jobs_max))
    stats = await adapter.read_stats([job.id for job in page.items])
    (total,) = await adapter.read_stats(None)
    running = await adapter.read_runs(
        RunQuery(states=(RunState.CLAIMED,), limit=RECENT_RUNS)
    )
    recent = await adapter.read_runs(
        RunQuery(states=(RunState.FINISHED,), limit=RECENT_RUNS)
    )
    summary = await adapter.summary(now=core.time.now(), is_deep=False)
    by_id = {job.id: job for job in page.items}
    return SchedulerSnapshot(
        at=moment_from(core.time.now()),
        jobs=tuple(job_view(job) for job in page.items),
        stats={each.job_id: stats_view(each, job=by_id[each.job_id]) for each in stats},
        total=stats_view(total, job=None),
        running=tuple(run_view(run) for run in running.items),
        recent=tuple(run_view(run) for run in recent.items),
        instances=tuple(instance_view(each) for each in await adapter.read_instances()),
        job_counts=summary.jobs,
    )
