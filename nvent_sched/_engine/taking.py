"""Take what was claimed: at once, or when the store says that the claim is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._logs import logger_of
from nvent_sched._rules.settling import settle_unconfirmed
from nvent_sched._rules.trust import needs_confirmation
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._engine.core import Core
    from nvent_sched._model.policies import Policies
    from nvent_sched._model.runs import Run

log = logger_of(__name__)


async def take_claims(
    core: Core, claimed: Sequence[tuple[Run, Policies]], *, asked_at_us: int
) -> None:
    """Hold claims until their time; give those back that could be forgotten.

    Args:
        core: The instance.
        claimed: Runs that are ours, with the policies of their jobs.
        asked_at_us: When they were asked for, on the monotonic clock.
    """
    doubted: list[tuple[Run, Policies]] = []
    for run, policies in claimed:
        if needs_confirmation(policies):
            doubted.append((run, policies))
        else:
            core.take(run, policies=policies, asked_at_us=asked_at_us)
    if not doubted:
        return
    core.launcher_signal.set()
    safe = await _confirmed(core, [run for run, _ in doubted])
    for run, policies in doubted:
        if run.id in safe:
            core.take(run, policies=policies, asked_at_us=asked_at_us)
        else:
            verdict = settle_unconfirmed(run, now=core.time.now())
            core.outbox.settle(verdict, policies=policies)
    if len(safe) < len(doubted):
        log.warning(
            "%d of %d runs put off: too few replicas have their claims",
            len(doubted) - len(safe),
            len(doubted),
        )


async def _confirmed(core: Core, runs: Sequence[Run]) -> frozenset[str]:
    try:
        return await core.adapter.confirm(runs)
    except StoreError as error:
        log.warning("claims could not be confirmed: %s", error)
        return frozenset()
