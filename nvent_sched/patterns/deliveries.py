"""Give every subscriber of a trigger a run for a fire: all of them in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import Committed
from nvent_sched._model.queries import JobQuery, RunQuery
from nvent_sched._model.roles import Role
from nvent_sched._rules.delivering import (
    count_deliveries,
    delivery_id,
    plan_delivery,
)
from nvent_sched.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._engine.core import Core
    from nvent_sched._model.claims import Plan
    from nvent_sched._rules.delivering import Fire

PAGE: Final = 1_000
WHOLE_MAX: Final = 2_000
"""How many subscribers get a fire in one step, all or none; more of them in several."""
READ_MAX: Final = 10_000
TRIES_WHOLE: Final = 20
TRIES_MAX: Final = 50


async def subscriptions_of(core: Core, trigger: str) -> list[str]:
    """List the jobs that are subscribed to a trigger, in the order of their ids."""
    prefix, tag = f"{Role.SUBSCRIPTION}{trigger}:", f"{Role.TRIGGER}{trigger}"
    found: list[str] = []
    after: str | None = prefix
    while after is not None:
        page = await core.adapter.read_jobs(JobQuery(after=after, limit=PAGE))
        within = [job for job in page.items if job.id.startswith(prefix)]
        # The name of a trigger may begin with another's and a colon.
        found += [job.id for job in within if tag in job.definition.tags]
        after = page.next if len(within) == len(page.items) else None
    return found


async def deliver(
    core: Core,
    subscriptions: Sequence[str],
    fires: Sequence[Fire],
    *,
    is_repeated: bool,
) -> dict[str, Any]:
    """Give each subscription a run for each fire.

    Args:
        core: The instance.
        subscriptions: Ids of the jobs.
        fires: Oldest first.
        is_repeated: It may have been done already, in whole or in part.

    Returns:
        How many runs there are now, and how many deliveries a policy refused.

    Raises:
        ConflictError: Subscriptions changed each time, 50 times over.
        StoreError: It could not be stored.
    """
    plans: list[Plan] = []
    for start in range(0, len(subscriptions), WHOLE_MAX):
        batch = subscriptions[start : start + WHOLE_MAX]
        plans += await _deliver_whole(core, batch, fires, is_repeated=is_repeated)
    core.planner_signal.set()
    return count_deliveries(plans)


async def _deliver_whole(
    core: Core,
    subscriptions: Sequence[str],
    fires: Sequence[Fire],
    *,
    is_repeated: bool,
) -> list[Plan]:
    """Deliver in one step, whatever happens to subscriptions meanwhile.

    They change when a run of theirs ends and another waits. Where that goes on so fast
    that one step for all never gets through, each gets its own.
    """
    left = list(subscriptions)
    done: list[Plan] = []
    for tried in range(TRIES_MAX):
        is_whole = tried < TRIES_WHOLE
        plans = await _plans(core, left, fires, is_repeated=is_repeated or not is_whole)
        verdicts = await core.adapter.commit_plans(
            plans, now=core.time.now(), is_whole=is_whole
        )
        committed = [
            plan
            for plan, verdict in zip(plans, verdicts, strict=True)
            if isinstance(verdict, Committed)
        ]
        for plan in committed:
            for event in plan.events:
                core.outbox.tell(event)
        done += committed
        ours = {plan.write.job.id for plan in committed}
        left = [plan.write.job.id for plan in plans if plan.write.job.id not in ours]
        if not left:
            return done
    raise ConflictError(left[0])


async def _plans(
    core: Core,
    subscriptions: Sequence[str],
    fires: Sequence[Fire],
    *,
    is_repeated: bool,
) -> list[Plan]:
    """Decide on the facts as they are; leave out what was delivered before."""
    facts = await core.adapter.read_facts(subscriptions)
    known: frozenset[str] = frozenset()
    if is_repeated:
        known = await _known(
            core, [delivery_id(s, f) for s in subscriptions for f in fires]
        )
    plans: list[Plan] = []
    for each in facts:
        owed = [fire for fire in fires if delivery_id(each.job.id, fire) not in known]
        if owed:
            plans.append(
                plan_delivery(each, owed, now=core.time.now(), claimant=core.unclaiming)
            )
    return plans


async def _known(core: Core, run_ids: Sequence[str]) -> frozenset[str]:
    known: set[str] = set()
    for start in range(0, len(run_ids), READ_MAX):
        ids = tuple(run_ids[start : start + READ_MAX])
        page = await core.adapter.read_runs(RunQuery(ids=ids, limit=len(ids)))
        known.update(run.id for run in page.items)
    return frozenset(known)
