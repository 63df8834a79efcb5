"""The verbs about jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nvent_sched.blocking.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Unpack

    from nvent_sched._model.jobs import JobStatus
    from nvent_sched._model.queries import Page
    from nvent_sched._model.schedules import Schedule
    from nvent_sched._model.snapshots import JobSnapshot
    from nvent_sched._rules.declaring import JobOptions, JobSpec
    from nvent_sched._rules.previewing import Preview


class JobVerbs(Verbs):
    """What can be done with jobs."""

    def schedule(  # noqa: PLR0913  the words of the API
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
        return self._call(
            self._scheduler.schedule,
            handler,
            schedule,
            id=id,
            name=name,
            args=args,
            kwargs=kwargs,
            if_exists=if_exists,
            **options,
        )

    def schedule_many(
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
        return self._call(self._scheduler.schedule_many, jobs, if_exists=if_exists)

    def unschedule(self, job: str | JobSnapshot) -> bool:
        """Forget a job, its statistics and its history.

        A run that has begun goes on to its end; if its instance dies it ends as lost.

        Returns:
            Whether there was such a job.
        """
        return self._call(self._scheduler.unschedule, job)

    def reschedule(
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
        return self._call(self._scheduler.reschedule, job, schedule, **options)

    def pause(self, job: str | JobSnapshot, *, reason: str = "") -> bool:
        """Stop a job from firing until it is resumed. A run that has begun goes on.

        Args:
            job: Which job.
            reason: Kept with the job and shown.

        Returns:
            Whether that changed anything: False if it was paused or finished.

        Raises:
            UnknownJobError: There is no such job.
        """
        return self._call(self._scheduler.pause, job, reason=reason)

    def resume(self, job: str | JobSnapshot, *, catch_up: bool = False) -> bool:
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
        return self._call(self._scheduler.resume, job, catch_up=catch_up)

    def get_job(self, job: str | JobSnapshot) -> JobSnapshot:
        """Read one job.

        Raises:
            UnknownJobError: There is no such job.
        """
        return self._call(self._scheduler.get_job, job)

    def jobs(
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
        return self._call(
            self._scheduler.jobs,
            status=status,
            tag=tag,
            handler=handler,
            text=text,
            after=after,
            limit=limit,
        )

    def preview(
        self, job: str | JobSnapshot | Schedule, n: int = 5
    ) -> tuple[Preview, ...]:
        """Say when a job or a schedule fires next, with what a clock change does to it.

        Args:
            job: Which job, or a schedule.
            n: How many, 1 to 10,000.

        Raises:
            UnknownJobError: There is no such job.
        """
        return self._call(self._scheduler.preview, job, n)
