"""Read what patterns keep, a page at a time, in the order of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.queries import JobQuery, Page, refuse_no_text
from nvent_sched._model.roles import Role, name_in
from nvent_sched._model.watchdogs import WatchState
from nvent_sched._rules.delivering import trigger_view
from nvent_sched._rules.watching import state_of
from nvent_sched.patterns.deliveries import subscriptions_of

if TYPE_CHECKING:
    from nvent_sched._engine.core import Core
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.triggers import TriggerSnapshot


async def read_role(
    core: Core, role: Role, *, after: str | None, limit: int
) -> Page[Job]:
    """Read the jobs of one role.

    Args:
        core: The instance.
        role: Of the jobs.
        after: The `next` of the page before: a name without the role.
        limit: At most so many.
    """
    refuse_no_text(after=after)
    query = JobQuery(after=f"{role}{after or ''}", limit=limit)
    page = await core.adapter.read_jobs(query)
    found = tuple(job for job in page.items if job.id.startswith(role))
    is_more = page.next is not None and len(found) == len(page.items)
    return Page(items=found, next=name_in(found[-1].id) if is_more and found else None)


async def read_watchdogs(
    core: Core, *, state: WatchState | None, after: str | None, limit: int
) -> Page[Job]:
    """Read watchdogs, of one state or of work that goes on."""
    found: list[Job] = []
    while True:
        page = await read_role(core, Role.WATCHDOG, after=after, limit=limit)
        for job in page.items:
            its = state_of(job)
            if its is state or (state is None and its is not WatchState.ENDED):
                found.append(job)
            after = name_in(job.id)
            if len(found) == limit:
                is_last = page.next is None and job is page.items[-1]
                return Page(items=tuple(found), next=None if is_last else after)
        if page.next is None:
            return Page(items=tuple(found), next=None)


async def read_triggers(
    core: Core, *, after: str | None, limit: int
) -> Page[TriggerSnapshot]:
    """Read triggers with what came of their fires."""
    page = await read_role(core, Role.TRIGGER, after=after, limit=limit)
    seen = [await _trigger_of(core, job) for job in page.items]
    return Page(items=tuple(seen), next=page.next)


async def _trigger_of(core: Core, job: Job) -> TriggerSnapshot:
    name = name_in(job.id)
    subscriptions = await subscriptions_of(core, name)
    own, *others = await core.adapter.read_stats([job.id, *subscriptions])
    prefix = f"{Role.SUBSCRIPTION}{name}:"
    return trigger_view(
        job,
        stats=own,
        deliveries=others,
        subscribers=tuple(each.removeprefix(prefix) for each in subscriptions),
    )
