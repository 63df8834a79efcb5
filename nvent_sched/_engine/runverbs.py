"""What users do to runs, as steps on the store. No policy: the rules decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import uuid4

from nvent_sched._engine.signals import Signal
from nvent_sched._model.claims import Committed, Stored
from nvent_sched._model.events import EventKind
from nvent_sched._model.instants import Instant
from nvent_sched._model.queries import RunQuery
from nvent_sched._model.runs import FAILURES, Origin, Run, RunState
from nvent_sched._rules.planning import Asked, plan_asked
from nvent_sched._rules.recurrence import refuse_before_first, schedule_of
from nvent_sched._rules.settling import settle_cancelled
from nvent_sched.errors import (
    ConflictError,
    UnknownJobError,
    UnknownRunError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvent_sched._engine.core import Core
    from nvent_sched._model.jobs import Job

TRIES_MAX: Final = 50
BACKFILL_MAX: Final = 1_000


async def ask_for_runs(
    core: Core,
    job_id: str,
    asked: Sequence[Asked],
    *,
    allow: Callable[[Job], None] | None = None,
) -> None:
    """Create runs by hand, by the job's overlap policy; those that exist stay.

    Args:
        core: The instance.
        job_id: Of which job.
        asked: Which runs.
        allow: Raises if the job, as it is stored now, must not have them.

    Raises:
        UnknownJobError: There is no such job.
        ConflictError: The job changed each time, 50 times over.
    """
    claimant = core.unclaiming
    for _ in range(TRIES_MAX):
        facts = await core.adapter.read_facts([job_id])
        if not facts:
            raise UnknownJobError(job_id)
        if allow is not None:
            allow(facts[0].job)
        # Read after the facts: a run made since then has changed the job's version.
        existing = await _existing(core, [each.run_id for each in asked])
        fresh = [each for each in asked if each.run_id not in existing]
        if not fresh:
            return
        plan = plan_asked(facts[0], fresh, now=core.time.now(), claimant=claimant)
        (verdict,) = await core.adapter.commit_plans([plan], now=core.time.now())
        if isinstance(verdict, Committed):
            for event in plan.events:
                core.outbox.tell(event)
            core.planner_signal.set()
            return
    raise ConflictError(job_id)


async def _existing(core: Core, run_ids: Sequence[str]) -> frozenset[str]:
    query = RunQuery(ids=tuple(run_ids), limit=len(run_ids))
    return frozenset(run.id for run in (await core.adapter.read_runs(query)).items)


async def backfill(
    core: Core, job_id: str, *, start: Instant, end: Instant
) -> list[str]:
    """Create a run for each occurrence of the past between *start* and *end*.

    Returns:
        The ids of the runs, whether or not they existed before.

    Raises:
        UsageError: There are more than 1,000, the range is empty or not past, or all of
            it is before an interval's first occurrence.
    """
    facts = await core.adapter.read_facts([job_id])
    if not facts:
        raise UnknownJobError(job_id)
    if not start < end <= core.time.now():
        msg = "backfill needs start < end, and an end that is not in the future"
        raise UsageError(msg)
    schedule = schedule_of(facts[0].job)
    asked: list[Asked] = []
    at = schedule.next_instant(Instant(start - 1))
    while at is not None and at < end:
        run_id = f"{job_id}!backfill:{at}"
        asked.append(
            Asked(
                run_id=run_id,
                origin=Origin.BACKFILL,
                scheduled_time=at,
                is_made_up=True,
            )
        )
        if len(asked) > BACKFILL_MAX:
            msg = f"more than {BACKFILL_MAX} occurrences; backfill a shorter range"
            raise UsageError(msg)
        at = schedule.next_instant(at)
    if asked:
        await ask_for_runs(core, job_id, asked)
    else:
        refuse_before_first(schedule, end=end)
    return [each.run_id for each in asked]


async def find_run(core: Core, run_id: str) -> Run | None:
    """Read one run, or None."""
    page = await core.adapter.read_runs(RunQuery(ids=(run_id,), limit=1))
    return page.items[0] if page.items else None


async def read_run(core: Core, run_id: str) -> Run:
    """Read one run.

    Raises:
        UnknownRunError: There is none.
    """
    run = await find_run(core, run_id)
    if run is None:
        raise UnknownRunError(run_id)
    return run


async def retry_run(core: Core, run_id: str) -> str:
    """Run a run that failed once more, as a run of its own; say its id.

    Raises:
        UnknownRunError: There is none.
        UsageError: It did not fail.
    """
    run = await read_run(core, run_id)
    if run.outcome not in FAILURES:
        state = run.outcome or run.state
        msg = f"run {run_id} is {state}; only a run that failed can be retried"
        raise UsageError(msg)
    again = f"{run.job_id}!retry:{uuid4().hex}"
    asked = Asked(
        run_id=again,
        origin=Origin.RETRY,
        scheduled_time=run.scheduled_time,
        payload=run.payload,
        is_made_up=True,
    )
    await ask_for_runs(core, run.job_id, [asked])
    return again


async def cancel_run(core: Core, run_id: str, *, reason: str) -> bool:
    """Cancel a run; say whether there was anything left to cancel.

    Raises:
        UnknownRunError: There is none.
    """
    for _ in range(TRIES_MAX):
        if (claim := core.claims.get(run_id)) is not None:
            core.cancel(claim, reason=reason)
            return True
        run = await read_run(core, run_id)
        if run.state is RunState.FINISHED:
            return False
        if run.state is RunState.CLAIMED:
            await core.adapter.cancel_runs([run_id], reason=reason, now=core.time.now())
            return True
        verdict = settle_cancelled(
            run,
            reason=reason,
            retention=core.options.retention,
            now=core.time.now(),
        )
        (answer,) = await core.adapter.settle([verdict], now=core.time.now())
        if isinstance(answer, Stored):
            core.tell(
                EventKind.RUN_FINISHED,
                job_id=run.job_id,
                run_id=run_id,
                detail=str(verdict.run.outcome),
            )
            core.planner_signal.set()
            return True
    raise ConflictError(run_id)


async def wait_for_run(core: Core, run_id: str, *, until_us: int | None) -> Run:
    """Wait until a run has ended.

    Args:
        core: The instance.
        run_id: Which run.
        until_us: How long, on the monotonic clock; None for as long as it takes.

    Raises:
        UnknownRunError: There is none.
        TimeoutError: It has not ended by then.
    """
    signal = Signal()
    waiters = core.run_waiters.setdefault(run_id, [])
    waiters.append(signal)
    try:
        while True:
            run = await read_run(core, run_id)
            if run.state is RunState.FINISHED:
                return run
            now_us = core.clock.monotonic_us()
            if until_us is not None and now_us >= until_us:
                msg = f"run {run_id} is still {run.state}"
                raise TimeoutError(msg)
            look_us = now_us + core.adapter.traits.hint_delay_us_max
            if until_us is not None:
                look_us = min(look_us, until_us)
            await core.clock.wait(signal, until_us=look_us)
    finally:
        waiters.remove(signal)
        if not waiters:
            core.run_waiters.pop(run_id, None)
