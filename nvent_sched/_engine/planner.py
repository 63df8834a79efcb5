"""Take due jobs, plan, commit; claim what is ready. One pass is one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import anyio
from anyio.lowlevel import checkpoint

from nvent_sched._engine.edits import edit_job
from nvent_sched._engine.taking import take_claims
from nvent_sched._logs import logger_of
from nvent_sched._model.claims import Claims, Committed, DueBatch, DueJob, Plan
from nvent_sched._model.events import EventKind
from nvent_sched._model.instants import MILLISECOND_US, SECOND_US, Instant
from nvent_sched._model.policies import DEFAULT_POLICIES, Policies
from nvent_sched._model.queries import JobQuery
from nvent_sched._model.runs import RunState
from nvent_sched._model.values import changed
from nvent_sched._rules.agenda import LOOKAHEAD_US
from nvent_sched._rules.drafting import Claimant
from nvent_sched._rules.editing import pause
from nvent_sched._rules.planning import plan_due
from nvent_sched.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvent_sched._engine.core import Core
    from nvent_sched._engine.registry import Executor
    from nvent_sched._model.runs import Run

log = logger_of(__name__)
BATCH_MIN: Final = 32
BATCH_MAX: Final = 500
PART: Final = 250
"""How much of a batch is committed at once."""
CONTENDED_US: Final = 5 * MILLISECOND_US
"""The wait after a pass that others were faster in, so as not to race them again."""
STARVED_US: Final = SECOND_US
"""How often jobs are still planned while no slot is free."""


async def plan_pass(core: Core) -> int | None:
    """Make one pass.

    Returns:
        When the next one is due, on the monotonic clock.
    """
    if not core.is_taking:
        return None
    await core.doubts.resolve()
    asked_at_us = core.clock.monotonic_us()
    names = core.registry.names
    free = sum(pool.limit for pool in core.free_pools())
    batch = await core.adapter.take_due(
        now=core.time.now(),
        handlers=names,
        limit=max(BATCH_MIN, min(BATCH_MAX, free)),
    )
    core.time.observe(batch.now, asked_at_us=asked_at_us)
    for job_id, reason in batch.quarantined.items():
        log.error("job put into quarantine", extra={"job_id": job_id})
        core.tell(EventKind.JOB_QUARANTINED, job_id=job_id, detail=reason)
    planned = await _plan_batch(core, batch, asked_at_us=asked_at_us)
    # What a plan made ready is not among what the batch knew to be ready.
    ready_at = batch.now if any(map(_makes_ready, planned)) else batch.next_ready_at
    ready_at = await _claim_ready(core, ready_at, now=batch.now)
    core.launcher_signal.set()
    looks = [plan.write.job.look_at for plan in planned]
    return _next_pass(
        core,
        # What was just planned has a next look of its own, later than the batch knew.
        looks=[batch.next_look_at, *looks],
        ready_at=ready_at,
        is_contended=not planned,
    )


async def _plan_batch(core: Core, batch: DueBatch, *, asked_at_us: int) -> list[Plan]:
    """Plan and commit a batch; say which plans were let through.

    While the store commits one part, the next one is planned.

    Raises:
        StoreError: A part was not committed, as far as we know.
    """
    due = await _not_spared(core, batch.jobs)
    if not due:
        return []
    free = {executor: core.free(executor) for executor in core.limits}
    committed: list[Plan] = []
    errors: list[StoreError] = []

    async def commit(drafted: list[_Drafted]) -> None:
        try:
            committed.extend(
                await _commit(core, drafted, now=batch.now, asked_at_us=asked_at_us)
            )
        except StoreError as error:
            errors.append(error)

    async with anyio.create_task_group() as commits:
        for start in range(0, len(due), PART):
            part = due[start : start + PART]
            drafted = await _draft(core, part, now=batch.now, free=free)
            if drafted and start + PART < len(due):
                commits.start_soon(commit, drafted)
                await checkpoint()
            elif drafted:
                # By ourselves: what is due next is asked for before any of these starts.
                await commit(drafted)
    if errors:
        raise errors[0]
    return committed


class _Drafted(NamedTuple):
    """A plan that is not committed yet, with the policies of its job."""

    plan: Plan
    policies: Policies


async def _draft(
    core: Core, due: Sequence[DueJob], *, now: Instant, free: dict[Executor, int]
) -> list[_Drafted]:
    """Plan for each job; *free* is what is left of the slots."""
    drafted: list[_Drafted] = []
    for facts in due:
        handler = core.registry.get(facts.job.definition.handler)
        claims_max = 0 if handler is None else free[handler.executor]
        plan = await _plan_one(core, facts, now=now, claims_max=claims_max)
        if plan is None:
            continue
        if handler is not None:
            claimed = sum(run.state is RunState.CLAIMED for run in plan.runs)
            free[handler.executor] -= claimed
        drafted.append(_Drafted(plan, facts.job.definition.policies))
    return drafted


async def _commit(
    core: Core, drafted: Sequence[_Drafted], *, now: Instant, asked_at_us: int
) -> list[Plan]:
    """Commit plans, and take what they claimed; say which were let through."""
    try:
        verdicts = await core.adapter.commit_plans(
            [each.plan for each in drafted], now=now
        )
    except StoreError:
        core.doubts.of_plans(drafted)
        raise
    committed: list[Plan] = []
    ours: list[tuple[Run, Policies]] = []
    for (plan, policies), verdict in zip(drafted, verdicts, strict=True):
        if isinstance(verdict, Committed):
            committed.append(plan)
            ours += [(run, policies) for run in _claimed_by(plan, verdict)]
            _tell_committed(core, plan)
    await take_claims(core, ours, asked_at_us=asked_at_us)
    core.launcher_signal.set()
    return committed


async def _not_spared(core: Core, due: Sequence[DueJob]) -> Sequence[DueJob]:
    """Leave out what somebody here has just moved."""
    for follower in core.followers:
        spared = await follower.spare(due)
        due = [facts for facts in due if facts.job.id not in spared] if spared else due
    return due


async def _plan_one(
    core: Core, facts: DueJob, *, now: Instant, claims_max: int
) -> Plan | None:
    """Ask the rules; a job they cannot read is paused with the reason, not lost."""
    claimant = Claimant(
        instance=core.instance_id,
        claims_max=claims_max,
        lease_us=core.options.timing.lease_us,
        retention=core.options.retention,
    )
    try:
        return plan_due(facts, now=now, claimant=claimant)
    except UsageError as error:
        reason = f"its schedule cannot be read: {error}"
        log.exception("job cannot be planned", extra={"job_id": facts.job.id})
        await edit_job(
            core, facts.job.id, lambda job: pause(job, reason=reason, now=now)
        )
        core.tell(EventKind.JOB_QUARANTINED, job_id=facts.job.id, detail=reason)
        return None


def _claimed_by(plan: Plan, verdict: Committed) -> Iterator[Run]:
    for run, fence in zip(plan.runs, verdict.fences, strict=True):
        if run.state is RunState.CLAIMED and fence:
            yield changed(run, fence=fence)


def _tell_committed(core: Core, plan: Plan) -> None:
    for run_id, reason in plan.cancel.items():
        if (claim := core.claims.get(run_id)) is not None:
            core.cancel(claim, reason=reason)
    for event in plan.events:
        core.outbox.tell(event)
    for run in plan.runs:
        if run.state is RunState.FINISHED:
            core.janitor.note_end(run.job_id)


def _makes_ready(plan: Plan) -> bool:
    return bool(plan.promote) or any(run.state is RunState.READY for run in plan.runs)


async def _claim_ready(
    core: Core, ready_at: Instant | None, *, now: Instant
) -> Instant | None:
    """Claim READY runs for the slots that are free; say when the next is ready."""
    horizon = Instant(now + LOOKAHEAD_US)
    is_ready = ready_at is not None and ready_at <= horizon
    while is_ready or core.doubts.is_asking:
        pools = core.free_pools()
        if not pools:
            return ready_at
        request = core.doubts.request()
        claims = await core.adapter.begin(
            request_id=request.id,
            instance=core.instance_id,
            pools=pools,
            until=horizon,
            lease_us=core.options.timing.lease_us,
            now=core.time.now(),
        )
        await _take_begun(core, claims, asked_at_us=request.asked_at_us)
        core.doubts.answered()
        ready_at = claims.next_ready_at
        is_ready = ready_at is not None and ready_at <= horizon
        if not claims.runs:
            break
    return ready_at


async def _take_begun(core: Core, claims: Claims, *, asked_at_us: int) -> None:
    policies = await policies_of(core, [run.job_id for run in claims.runs])
    claimed = [(run, policies.get(run.job_id, DEFAULT_POLICIES)) for run in claims.runs]
    await take_claims(core, claimed, asked_at_us=asked_at_us)


async def policies_of(core: Core, job_ids: Sequence[str]) -> dict[str, Policies]:
    """Read the policies of jobs; those that are gone are left out."""
    wanted = tuple(dict.fromkeys(job_ids))
    if not wanted:
        return {}
    page = await core.adapter.read_jobs(JobQuery(ids=wanted, limit=len(wanted)))
    return {job.id: job.definition.policies for job in page.items}


def _next_pass(
    core: Core,
    *,
    looks: list[Instant | None],
    ready_at: Instant | None,
    is_contended: bool,
) -> int:
    now_us = core.clock.monotonic_us()
    latest_us = now_us + core.adapter.traits.hint_delay_us_max
    has_slots = bool(core.free_pools())
    if ready_at is not None and has_slots:
        looks = [*looks, Instant(ready_at - LOOKAHEAD_US)]
    due = [core.time.monotonic_of(look) for look in looks if look is not None]
    if not due:
        return latest_us
    earliest_us = min(due)
    if earliest_us <= now_us:
        if not has_slots and core.registry.names:
            return now_us + STARVED_US
        if is_contended:
            return now_us + CONTENDED_US
    return min(earliest_us, latest_us)
