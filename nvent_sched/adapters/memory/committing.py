"""Plans, applied one by one, or whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.claims import STALE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.claims import Committed, Plan, Stale
    from nvent_sched._model.instants import Instant
    from nvent_sched.adapters.memory.tables import Tables


def committed(
    tables: Tables, plans: Sequence[Plan], *, now: Instant, is_whole: bool
) -> tuple[Committed | Stale, ...]:
    """Apply plans; if they must be applied whole, all of them or none."""
    if is_whole:
        are_different = len({plan.write.job.id for plan in plans}) == len(plans)
        if not are_different or not all(
            tables.is_current(each.write) for each in plans
        ):
            return (STALE,) * len(plans)
    return tuple(tables.commit(plan, now=now) for plan in plans)
