"""Work that was left behind by an instance that died: its alarms are raised at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._logs import logger_of
from nvent_sched._model.claims import Stored
from nvent_sched._model.queries import JobQuery
from nvent_sched._model.roles import Role, role_of
from nvent_sched._rules.watching import alarm_at_once, facts_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nvent_sched._engine.core import Core
    from nvent_sched._model.jobs import Job

log: Final = logger_of(__name__)
PAGE: Final = 1_000


async def watchdog_pages(
    core: Core, *, prefix: str = Role.WATCHDOG
) -> AsyncIterator[tuple[Job, ...]]:
    """Read the jobs that keep watchdogs, in the order of their ids, page by page."""
    after: str | None = prefix
    while after is not None:
        page = await core.adapter.read_jobs(JobQuery(after=after, limit=PAGE))
        found = tuple(job for job in page.items if job.id.startswith(prefix))
        if found:
            yield found
        after = page.next if len(found) == len(page.items) else None


async def raise_orphans(core: Core, *, dead: frozenset[str]) -> int:
    """Raise the alarm for work that these instances were at; say for how many.

    A run needs none: it is taken up again, or told to be lost.

    Raises:
        StoreError: Not all could be raised; the rest has its deadline.
    """
    raised = 0
    async for page in watchdog_pages(core):
        now = core.time.now()
        orphans = [
            job
            for job in page
            if role_of(job.id) is Role.WATCHDOG
            and facts_of(job.definition).get("owner") in dead
        ]
        runs = [job.id for job in orphans if "run_id" in facts_of(job.definition)]
        if runs:
            await core.adapter.drop_jobs(runs, now=now)
        decided = (
            alarm_at_once(job, reason=_reason_of(job), now=now)
            for job in orphans
            if job.id not in runs
        )
        writes = [write for write in decided if write is not None]
        if not writes:
            continue
        verdicts = await core.adapter.put_jobs(writes, now=now)
        # One that is stale gave a sign of life, or somebody else raised its alarm.
        raised += sum(isinstance(verdict, Stored) for verdict in verdicts)
    if raised:
        log.warning("%d pieces of work were left behind by dead instances", raised)
        core.planner_signal.set()
    return raised


def _reason_of(job: Job) -> str:
    return f"instance {facts_of(job.definition)['owner']} died with it"
