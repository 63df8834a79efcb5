"""The verbs about jobs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nvent_sched._engine import jobverbs
from nvent_sched._model.instants import moment_from
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.policies import count_in_range
from nvent_sched._model.queries import PAGE_MAX, JobQuery, Page
from nvent_sched._model.roles import checked_job_id
from nvent_sched._model.schedules import Schedule
from nvent_sched._rules.declaring import (
    JobOptions,
    JobSpec,
    definition_from,
    payload_from,
)
from nvent_sched._rules.previewing import Preview, preview_of, preview_of_job
from nvent_sched._rules.registration import IfExists
from nvent_sched._rules.schedules import OneTime
from nvent_sched._rules.viewing import (
    job_view,
)
from nvent_sched.errors import UsageError
from nvent_sched.scheduler.verbs import Verbs, job_id_of, member_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Unpack

    from nvent_sched._model.jobs import JobDefinition
    from nvent_sched._model.snapshots import (
        JobSnapshot,
    )


class JobVerbs(Verbs):
    """What can be done to jobs."""

    async def schedule(  # noqa: PLR0913  the words of the API
        self,
        handler: Callable[..., Any] | str,
        schedule: Schedule,
        *,
        id: str | None = None,  # noqa: A002  the API's word
        name: str | None = None,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        if_exists: str = "update",
        **options: Unpack[JobOptions],
    ) -> JobSnapshot:
        """Store a job. The same job again changes nothing.

        Args:
            handler: A function, or the name of a handler (also one that only other
                instances have).
            schedule: When.
            id: The job's id. Without one: the handler's name, or a new id for a
                one-time job.
            name: What people call it; without one the id.
            args: Arguments, as JSON.
            kwargs: Keyword arguments, as JSON.
            if_exists: What to do if a different job has the id: "update" (its
                statistics stay), "keep" or "error".
            **options: Policies, see `JobOptions`.

        Returns:
            The job as it is stored now.

        Raises:
            UsageError: Something about it is not allowed; nothing was stored.
            JobExistsError: A different job has the id, and that was an error.
            StoreError: The store could not take it.
        """
        core = self._core("schedule")
        spec = JobSpec(
            handler,
            schedule,
            id=id,
            name=name,
            args=args,
            kwargs=kwargs,
            options=options,
        )
        definition = self._definition_of(spec)
        stored = await jobverbs.put_definition(
            core, definition, if_exists=_if_exists(if_exists)
        )
        return job_view(stored)

    async def schedule_many(
        self, jobs: Iterable[JobSpec], *, if_exists: str = "update"
    ) -> tuple[str, ...]:
        """Store many jobs, a thousand in one step.

        An id may come several times: they count in their order.

        Returns:
            Their ids, in order.

        Raises:
            UsageError: One of them is not allowed; none was stored.
            JobExistsError: A different job has an id, and that was an error; earlier
                thousands are stored.
            StoreError: The store could not take them.
        """
        core = self._core("schedule_many")
        definitions = [self._definition_of(spec) for spec in _specs(jobs)]
        await jobverbs.put_definitions(
            core, definitions, if_exists=_if_exists(if_exists)
        )
        return tuple(definition.id for definition in definitions)

    def _definition_of(self, spec: JobSpec) -> JobDefinition:
        handler_name, entry = self._resolve(spec.handler)
        if entry is not None:
            entry.check_arguments(spec.args, spec.kwargs or {})
        job_id = spec.id
        if job_id is None:
            is_once = isinstance(spec.schedule, OneTime)
            job_id = f"{handler_name}#{uuid4().hex}" if is_once else handler_name
        return definition_from(
            handler_name,
            spec.schedule,
            id=checked_job_id(job_id),
            name=spec.name,
            payload=payload_from(spec.args, spec.kwargs),
            options=spec.options,
            is_declared=False,
        )

    async def unschedule(self, job: str | JobSnapshot) -> bool:
        """Forget a job, its statistics and its history.

        A run that has begun goes on to its end; if its instance dies it ends as lost.

        Returns:
            Whether there was such a job.
        """
        return await jobverbs.drop_job(self._core("unschedule"), job_id_of(job))

    async def reschedule(
        self, job: str | JobSnapshot, schedule: Schedule, **options: Unpack[JobOptions]
    ) -> JobSnapshot:
        """Change when a job runs, from now on; everything else stays.

        Args:
            job: Which job.
            schedule: When from now on.
            **options: What to change as well.

        Raises:
            UnknownJobError: There is no such job.
            UsageError: The schedule or an option is not allowed.
        """
        core = self._core("reschedule")
        await jobverbs.reschedule_job(
            core, job_id_of(job), schedule=schedule, options=options
        )
        return job_view(await jobverbs.read_job(core, job_id_of(job)))

    async def pause(self, job: str | JobSnapshot, *, reason: str = "") -> bool:
        """Stop a job from firing until it is resumed. A run that has begun goes on.

        Args:
            job: Which job.
            reason: Kept with the job and shown.

        Returns:
            Whether that changed anything: False if it was paused or finished.

        Raises:
            UnknownJobError: There is no such job.
        """
        return await jobverbs.pause_job(
            self._core("pause"), job_id_of(job), reason=str(reason)[:500]
        )

    async def resume(self, job: str | JobSnapshot, *, catch_up: bool = False) -> bool:
        """Let a paused job fire again.

        Args:
            job: Which job.
            catch_up: Treat what fell into the pause as missed, by the misfire policy;
                otherwise nothing of it is owed.

        Returns:
            Whether that changed anything: False if it was not paused.

        Raises:
            UnknownJobError: There is no such job.
        """
        return await jobverbs.resume_job(
            self._core("resume"), job_id_of(job), is_catch_up=catch_up
        )

    async def get_job(self, job: str | JobSnapshot) -> JobSnapshot:
        """Read one job.

        Raises:
            UnknownJobError: There is no such job.
        """
        return job_view(await jobverbs.read_job(self._core("get_job"), job_id_of(job)))

    async def jobs(
        self,
        *,
        status: JobStatus | str | None = None,
        tag: str | None = None,
        handler: str | None = None,
        text: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Page[JobSnapshot]:
        """Read jobs in the order of their ids, a page at a time.

        Waits, deadlines and watchdogs are not: `awaits` and `watchdogs` list them.

        Args:
            status: "active", "paused" or "finished".
            tag: Jobs that have it.
            handler: Jobs that call it.
            text: Part of the id or the name, in any case.
            after: The `next` of the page before.
            limit: 1 to 10,000.
        """
        count_in_range(limit, name="limit", most=PAGE_MAX)
        query = JobQuery(
            status=None
            if status is None
            else member_of(JobStatus, status, name="status"),
            tag=tag,
            handler=handler,
            text=text,
            after=after,
            limit=limit,
        )
        page = await jobverbs.read_page(self._core("jobs"), query)
        return Page(items=tuple(map(job_view, page.items)), next=page.next)

    async def preview(
        self, job: str | JobSnapshot | Schedule, n: int = 5
    ) -> tuple[Preview, ...]:
        """Say when a job or a schedule fires next, with what a clock change does to it.

        Args:
            job: Which job, or a schedule.
            n: How many, 1 to 10,000.

        Raises:
            UnknownJobError: There is no such job.
        """
        count_in_range(n, name="n", most=PAGE_MAX)
        core = self._core("preview")
        if isinstance(job, Schedule):
            return preview_of(job, after=moment_from(core.time.now()), n=n)
        stored = await jobverbs.read_job(core, job_id_of(job))
        return preview_of_job(stored, now=core.time.now(), n=n)


def _specs(jobs: object) -> Iterable[JobSpec]:
    """Refuse what are no jobs, before any of them is looked at.

    Raises:
        UsageError: It is no list, or something in it is no `JobSpec`.
    """
    listed: list[Any] = list(jobs) if isinstance(jobs, Iterable) else [jobs]
    for spec in listed:
        if not isinstance(spec, JobSpec):
            msg = f"jobs must be a list of JobSpec(...), not of {spec!r}"
            raise UsageError(msg)
    return listed


def _if_exists(value: str) -> IfExists:
    return member_of(IfExists, value, name="if_exists")
