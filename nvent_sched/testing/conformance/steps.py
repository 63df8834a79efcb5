"""What most tests do before what they are about: store, claim, end, read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.claims import STORED, Committed, Pool
from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.queries import JobQuery, RunQuery
from nvent_sched._model.runs import Outcome
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    LEASE_US,
    NOON,
    a_job,
    a_plan,
    a_run,
    a_write,
    an_end,
    an_instance,
    the_next,
)

if TYPE_CHECKING:
    from nvent_sched._model.claims import Plan, Settled, Settlement
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.locks import LockAnswer, LockAsk
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats
    from nvent_sched._port import Adapter

FAR = 1_000 * 24 * 3600 * SECOND_US


async def put(adapter: Adapter, *jobs: Job, now: Instant = NOON) -> None:
    """Store jobs, each over the version before it."""
    verdicts = await adapter.put_jobs([a_write(job) for job in jobs], now=now)
    assert verdicts == (STORED,) * len(jobs)


async def commit(
    adapter: Adapter, plan: Plan, *, now: Instant = NOON
) -> tuple[int, ...]:
    """Commit one plan, which must be applied; say the fences of its runs."""
    (verdict,) = await adapter.commit_plans([plan], now=now)
    assert isinstance(verdict, Committed)
    return verdict.fences


async def insert(adapter: Adapter, *runs: Run, now: Instant = NOON) -> tuple[Run, ...]:
    """Store runs of one job by a plan that leaves it as it is; read them back."""
    (facts,) = await adapter.read_facts([runs[0].job_id])
    job = facts.job
    same = the_next(job, look_at=job.look_at, looks_on_finish=job.looks_on_finish)
    await commit(adapter, a_plan(same, *runs), now=now)
    return tuple([await read_run(adapter, run.id) for run in runs])


async def claim(
    adapter: Adapter,
    *,
    limit: int = 100,
    instance: str = "one",
    request_id: str = "request",
    now: Instant = NOON,
) -> tuple[Run, ...]:
    """Claim whatever is ready at *now*."""
    claims = await adapter.begin(
        request_id=request_id,
        instance=instance,
        pools=[Pool(handlers=(HANDLER,), limit=limit)],
        until=now,
        lease_us=LEASE_US,
        now=now,
    )
    return claims.runs


async def a_claim(
    adapter: Adapter, *, look_at: Instant | None = None, looks_on_finish: bool = False
) -> Run:
    """Store a job with a READY run and claim it."""
    await put(adapter, a_job(look_at=look_at, looks_on_finish=looks_on_finish))
    await insert(adapter, a_run())
    (run,) = await claim(adapter)
    return run


async def settle(
    adapter: Adapter, settlement: Settlement, *, now: Instant = NOON
) -> Settled:
    """Settle one run."""
    (verdict,) = await adapter.settle([settlement], now=now)
    return verdict


async def finish(
    adapter: Adapter,
    run: Run,
    outcome: Outcome = Outcome.SUCCEEDED,
    *,
    now: Instant = NOON,
    keep_until: Instant | None = None,
) -> Run:
    """End a run, which must be as it is given; say how it is now."""
    settlement = an_end(run, outcome, now=now, keep_until=keep_until)
    assert await settle(adapter, settlement, now=now) == STORED
    return settlement.run


async def beat(
    adapter: Adapter,
    instance_id: str = "one",
    *,
    now: Instant = NOON,
    handlers: tuple[str, ...] = (HANDLER,),
) -> None:
    """Let an instance be heard of."""
    instance = an_instance(instance_id, handlers=handlers)
    await adapter.renew(instance, [], lease_us=LEASE_US, now=now)


async def take_due_ids(
    adapter: Adapter,
    *,
    now: Instant = NOON,
    handlers: tuple[str, ...] = (HANDLER,),
    limit: int = 100,
) -> list[str]:
    """Say which jobs are handed out, in order."""
    batch = await adapter.take_due(now=now, handlers=handlers, limit=limit)
    return [due.job.id for due in batch.jobs]


async def take_lost_ids(
    adapter: Adapter,
    *,
    now: Instant = NOON,
    dead_after_us: int = FAR,
    limit: int = 100,
) -> list[str]:
    """Say which runs are handed out as lost, in order."""
    lost = await adapter.take_lost(now=now, dead_after_us=dead_after_us, limit=limit)
    return [run.id for run in lost.runs]


async def read_job(adapter: Adapter, job_id: str = "job") -> Job:
    """Read one job, which must exist."""
    page = await adapter.read_jobs(JobQuery(ids=(job_id,)))
    (job,) = page.items
    return job


async def read_run(adapter: Adapter, run_id: str = "run") -> Run:
    """Read one run, which must exist."""
    page = await adapter.read_runs(RunQuery(ids=(run_id,)))
    (run,) = page.items
    return run


async def read_stats(adapter: Adapter, job_id: str = "job") -> JobStats:
    """Read the statistics of one job."""
    (stats,) = await adapter.read_stats([job_id])
    return stats


async def run_ids(adapter: Adapter) -> list[str]:
    """Say the ids of all runs, in the order of their ids."""
    page = await adapter.read_runs(RunQuery(limit=1_000))
    return sorted(run.id for run in page.items)


async def acquire(adapter: Adapter, ask: LockAsk, *, now: Instant = NOON) -> LockAnswer:
    """Ask for one lock."""
    (answer,) = (await adapter.acquire_locks([ask], now=now)).answers
    return answer
