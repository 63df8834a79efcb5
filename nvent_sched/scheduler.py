"""The async front door: verbs for users, datetimes outside, an engine inside.

It turns what a user writes into values, hands them to the rules and the engine, and turns
what comes back into snapshots. It decides nothing.
"""

from __future__ import annotations

import os
import platform
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import uuid4

from nvent_sched._engine import jobverbs, overview, runverbs
from nvent_sched._engine.calling import current_run
from nvent_sched._engine.clock import SystemClock
from nvent_sched._engine.core import Core
from nvent_sched._engine.options import Options
from nvent_sched._engine.registry import Registry, handler_of, is_typed_in, name_of
from nvent_sched._engine.stream import EventStream
from nvent_sched._engine.supervision import Engine
from nvent_sched._model.instants import instant_from, moment_from, span_us
from nvent_sched._model.jobs import JobStatus, checked_name
from nvent_sched._model.policies import count_in_range
from nvent_sched._model.queries import PAGE_MAX, JobQuery, Page, RunQuery
from nvent_sched._model.runs import Origin, Outcome, RunState
from nvent_sched._model.schedules import Schedule
from nvent_sched._model.snapshots import RunSnapshot
from nvent_sched._rules.declaring import (
    JobOptions,
    JobSpec,
    definition_from,
    payload_from,
)
from nvent_sched._rules.planning import Asked
from nvent_sched._rules.previewing import Preview, preview_of
from nvent_sched._rules.recurrence import schedule_of
from nvent_sched._rules.registration import IfExists
from nvent_sched._rules.retention import Retention
from nvent_sched._rules.schedules import OneTime
from nvent_sched._rules.trust import Timing
from nvent_sched._rules.viewing import (
    instance_view,
    job_view,
    run_view,
    stats_view,
)
from nvent_sched._views import objects as _drawn  # noqa: F401  draws what verbs return
from nvent_sched.adapters import open_adapter
from nvent_sched.errors import NotRunningError, RunFailedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Unpack

    from nvent_sched._engine.registry import Handler
    from nvent_sched._model.jobs import JobDefinition
    from nvent_sched._model.queries import StoreSummary
    from nvent_sched._model.snapshots import (
        HealthSnapshot,
        InstanceSnapshot,
        JobSnapshot,
        SchedulerSnapshot,
        StatsSnapshot,
    )
    from nvent_sched._port import Adapter, Clock

F = TypeVar("F", bound="Callable[..., Any]")
DEFAULT_URL = "sqlite:///nvent_sched.db"
STORE_VARIABLE = "NVENT_SCHED_URL"


class Scheduler:
    """Everything that waits for time, in one place.

    Making one does no I/O. `async with scheduler:` starts it: it takes up what a dead
    process left behind, declares the jobs of the code, and fires. Leaving the block stops
    it: it takes nothing more, lets runs end within the grace period, gives back the rest.

    Args:
        store: A URL (`sqlite:///jobs.db`, `memory:`) or an adapter. Without one the
            environment's NVENT_SCHED_URL, else `sqlite:///nvent_sched.db`.
        runs_handlers: False for a client that schedules, looks and waits for results
            but runs nothing and never fires.
        max_running: How many async handlers may be going at once.
        max_threads: How many plain handlers, each in a worker thread.
        max_processes: How many handlers in worker processes.
        lease: For how long a run is claimed; renewed at half.
        heartbeat: How often the instance says that it lives.
        dead_after: When others take it for dead. At least three heartbeats.
        history_runs: How many ended runs of a job are kept.
        history_success: For how long what went well is kept.
        history_failure: For how long what went wrong is kept.
        grace: How long a stop waits for runs to end by themselves.
        capture_logging: What handlers log with `logging` goes into their run's log.
        clock: Something else than the system's clock, for tests.

    Raises:
        UsageError: The URL or a setting is not allowed.
    """

    def __init__(  # noqa: PLR0913  one place for every setting
        self,
        store: str | Adapter | None = None,
        *,
        runs_handlers: bool = True,
        max_running: int = 1_000,
        max_threads: int = 32,
        max_processes: int = 2,
        lease: timedelta = timedelta(minutes=5),
        heartbeat: timedelta = timedelta(seconds=5),
        dead_after: timedelta = timedelta(seconds=20),
        history_runs: int = 100,
        history_success: timedelta = timedelta(days=7),
        history_failure: timedelta = timedelta(days=30),
        grace: timedelta = timedelta(seconds=30),
        capture_logging: bool = True,
        clock: Clock | None = None,
    ) -> None:
        if store is None:
            store = os.environ.get(STORE_VARIABLE) or DEFAULT_URL
        self._adapter = open_adapter(store) if isinstance(store, str) else store
        self._clock: Clock = SystemClock() if clock is None else clock
        self._runs_handlers = runs_handlers
        self._options = Options(
            running_max=max_running,
            threads_max=max_threads,
            processes_max=max_processes,
            timing=Timing(
                lease_us=span_us(lease, name="lease"),
                heartbeat_us=span_us(heartbeat, name="heartbeat"),
                dead_after_us=span_us(dead_after, name="dead_after"),
            ),
            retention=Retention(
                runs_max=history_runs,
                success_us=span_us(history_success, name="history_success"),
                failure_us=span_us(history_failure, name="history_failure"),
            ),
            grace_us=span_us(grace, name="grace"),
            is_logging_captured=capture_logging,
        )
        self._registry = Registry()
        self._declared: dict[str, JobDefinition] = {}
        self._engine: Engine | None = None
        self._stack: AsyncExitStack | None = None
        self._is_entered = False

    def __repr__(self) -> str:
        """Say which store, and whether it runs."""
        state = "running" if self._engine is not None else "not running"
        return f"<Scheduler {self._adapter.url} {state}>"

    @property
    def url(self) -> str:
        """Where the store is; without any secret."""
        return self._adapter.url

    @property
    def instance_id(self) -> str:
        """The id of this instance.

        Raises:
            NotRunningError: It is not started.
        """
        return self._core("instance_id").instance_id

    def handler(
        self, name: str | None = None, *, executor: str | None = None
    ) -> Callable[[F], F]:
        """Register a function as a handler without giving it a job (a decorator).

        Args:
            name: What stored jobs call it; without one its module and qualname.
            executor: "loop" for async functions, "thread" (default) or "process" for
                plain ones.
        """

        def register(function: F) -> F:
            self._registry.add(handler_of(function, name=name, executor=executor))
            return function

        return register

    def job(  # noqa: PLR0913  the words of the API
        self,
        schedule: Schedule,
        *,
        id: str | None = None,  # noqa: A002  the API's word
        name: str | None = None,
        handler: str | None = None,
        executor: str | None = None,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[JobOptions],
    ) -> Callable[[F], F]:
        """Declare a job for a function (a decorator).

        The job is stored when the scheduler starts. Declaring the same one again, after
        a restart, changes nothing.

        Args:
            schedule: When.
            id: The job's id; without one the function's name.
            name: What people call it; without one the id.
            handler: What the store calls the function; without one the job's id.
            executor: "loop", "thread" or "process".
            args: Arguments, as JSON.
            kwargs: Keyword arguments, as JSON.
            **options: Policies, see `JobOptions`.

        Raises:
            UsageError: Something about it is not allowed.
        """

        def declare(function: F) -> F:
            job_id = name_of(function).rsplit(":", 1)[-1] if id is None else id
            known = self._declared.get(job_id)
            entry = handler_of(function, name=handler or job_id, executor=executor)
            entry.check_arguments(args, kwargs or {})
            definition = definition_from(
                entry.name,
                schedule,
                id=job_id,
                name=name,
                payload=payload_from(args, kwargs),
                options=options,
                is_declared=True,
            )
            self._refuse_namesake(known, definition, entry)
            self._registry.add(entry)
            self._declared[job_id] = definition
            if self._engine is not None:
                self._engine.declare_later(definition)
            return function

        return declare

    def _refuse_namesake(
        self, known: JobDefinition | None, definition: JobDefinition, entry: Handler
    ) -> None:
        """Two functions of one module cannot share an id; a redefinition may.

        In a notebook the newest wins, whatever it is called: who executes a cell again,
        or a better one in its place, means just that.
        """
        if known is None or is_typed_in(entry.function):
            return
        before = self._registry.get(known.handler)
        if (
            before is None
            or before.function.__qualname__ == entry.function.__qualname__
        ):
            return
        msg = (
            f"two functions declare the job {definition.id!r}: "
            f"{before.function.__qualname__} and {entry.function.__qualname__}; give "
            "one of them another id"
        )
        raise UsageError(msg)

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        self._is_entered = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, in order."""
        stack, self._stack = self._stack, None
        self._is_entered = False
        if stack is not None:
            await stack.__aexit__(kind, error, trace)

    async def start(self) -> None:
        """Start; `async with` does the same and cannot be forgotten.

        Call `stop` from the same task.

        Raises:
            UsageError: It is running already.
            StoreError: The store cannot be opened.
        """
        if self._stack is not None:
            msg = "this scheduler is running already"
            raise UsageError(msg)
        async with AsyncExitStack() as stack:
            await self._adapter.open(now=self._clock.now())
            stack.push_async_callback(self._adapter.close)
            stack.callback(self._forget_engine)
            engine = Engine(self._new_core(), runs_handlers=self._runs_handlers)
            self._engine = engine
            await stack.enter_async_context(engine.running(self._declare))
            self._stack = stack.pop_all()

    def _new_core(self) -> Core:
        return Core(
            adapter=self._adapter,
            clock=self._clock,
            registry=self._registry,
            options=self._options,
            instance_id=f"{platform.node()}-{os.getpid()}-{uuid4().hex[:8]}",
        )

    def _forget_engine(self) -> None:
        self._engine = None

    async def _declare(self) -> None:
        core = self._core("start")
        await jobverbs.put_definitions(
            core, list(self._declared.values()), if_exists=IfExists.UPDATE
        )

    async def stop(self, *, grace: timedelta | None = None) -> None:
        """Stop: take nothing more, let runs end, give back the rest.

        Inside a handler it only asks for the stop, which could not end before it.

        Args:
            grace: How long runs may take to end; the scheduler's own without one.
        """
        engine = self._engine
        if engine is None:
            return
        if current_run.get() is not None:
            engine.request_stop()
            return
        grace_us = self._options.grace_us
        if grace is not None:
            grace_us = span_us(grace, name="grace")
        await engine.stop(grace_us=grace_us)
        if self._stack is not None and not self._is_entered:
            await self.__aexit__(None, None, None)

    async def wait_until_stopped(self) -> None:
        """Wait until somebody stopped this scheduler.

        Raises:
            NotRunningError: It is not started.
        """
        await self._running("wait_until_stopped").stopped.wait()

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
        await jobverbs.put_definitions(
            core, [definition], if_exists=_if_exists(if_exists)
        )
        return job_view(await jobverbs.read_job(core, definition.id))

    async def schedule_many(
        self, jobs: Iterable[JobSpec], *, if_exists: str = "update"
    ) -> tuple[str, ...]:
        """Store many jobs, a thousand in one step.

        Returns:
            Their ids, in order.

        Raises:
            UsageError: One of them is not allowed; none was stored.
            JobExistsError: A different job has an id, and that was an error; earlier
                thousands are stored.
            StoreError: The store could not take them.
        """
        core = self._core("schedule_many")
        definitions = [self._definition_of(spec) for spec in jobs]
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
            id=job_id,
            name=spec.name,
            payload=payload_from(spec.args, spec.kwargs),
            options=spec.options,
            is_declared=False,
        )

    def _resolve(self, handler: Callable[..., Any] | str) -> tuple[str, Handler | None]:
        """Find a handler's name, registering a function that is new."""
        if isinstance(handler, str):
            checked_name(handler, what="a handler's name")
            return handler, self._registry.get(handler)
        known = self._registry.of(handler)
        if known is None:
            known = handler_of(handler, name=None, executor=None)
            self._registry.add(known)
        return known.name, known

    async def unschedule(self, job: str | JobSnapshot) -> bool:
        """Forget a job, its statistics and its history.

        A run that has begun goes on to its end.

        Returns:
            Whether there was such a job.
        """
        return await jobverbs.drop_job(self._core("unschedule"), _job_id(job))

    async def reschedule(
        self, job: str | JobSnapshot, schedule: Schedule, **options: Unpack[JobOptions]
    ) -> JobSnapshot:
        """Change when a job runs, from now on; everything else stays.

        Args:
            job: Which job.
            schedule: When from now on.
            **options: Policies to change as well.

        Raises:
            UnknownJobError: There is no such job.
            UsageError: The schedule or an option is not allowed.
        """
        core = self._core("reschedule")
        await jobverbs.reschedule_job(
            core, _job_id(job), schedule=schedule, options=options
        )
        return job_view(await jobverbs.read_job(core, _job_id(job)))

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
            self._core("pause"), _job_id(job), reason=str(reason)[:500]
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
            self._core("resume"), _job_id(job), is_catch_up=catch_up
        )

    async def get_job(self, job: str | JobSnapshot) -> JobSnapshot:
        """Read one job.

        Raises:
            UnknownJobError: There is no such job.
        """
        return job_view(await jobverbs.read_job(self._core("get_job"), _job_id(job)))

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
            else _member(JobStatus, status, name="status"),
            tag=tag,
            handler=handler,
            text=text,
            after=after,
            limit=limit,
        )
        page = await self._core("jobs").adapter.read_jobs(query)
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
        stored = await jobverbs.read_job(core, _job_id(job))
        after = max(core.time.now(), stored.considered_until)
        return preview_of(schedule_of(stored), after=moment_from(after), n=n)

    async def run_now(
        self,
        job: str | JobSnapshot,
        *,
        idempotency_key: str | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> RunSnapshot:
        """Ask for a run by hand; the schedule stays where it is.

        It obeys the job's overlap policy: beside a run that is going it may end as
        `skipped_overlap` at once.

        Args:
            job: Which job; it may be paused.
            idempotency_key: Asking twice with one key gives one run.
            args: Other arguments than the job's.
            kwargs: Other keyword arguments than the job's.

        Raises:
            UnknownJobError: There is no such job.
            UsageError: The key or the arguments are not allowed.
        """
        core, job_id = self._core("run_now"), _job_id(job)
        key = uuid4().hex if idempotency_key is None else idempotency_key
        run_id = f"{job_id}!{checked_name(key, what='an idempotency key')}"
        if (run := await runverbs.find_run(core, run_id)) is None:
            has_own = args is not None or kwargs is not None
            asked = Asked(
                run_id=run_id,
                origin=Origin.MANUAL,
                scheduled_time=core.time.now(),
                payload=payload_from(args or (), kwargs) if has_own else None,
            )
            await runverbs.ask_for_runs(core, job_id, [asked])
            run = await runverbs.read_run(core, run_id)
        return run_view(run)

    async def backfill(
        self, job: str | JobSnapshot, start: datetime, end: datetime
    ) -> tuple[str, ...]:
        """Run the occurrences between *start* and before *end*, in the past, again.

        They are runs of their own: they neither collide with nor replace what the
        schedule produced, and one after another they wait for their turn.

        Returns:
            The ids of the runs; the same call again gives the same.

        Raises:
            UnknownJobError: There is no such job.
            UsageError: More than 1,000 occurrences, or no range of the past.
        """
        ids = await runverbs.backfill(
            self._core("backfill"),
            _job_id(job),
            start=instant_from(start),
            end=instant_from(end),
        )
        return tuple(ids)

    async def cancel_run(self, run: str | RunSnapshot, *, reason: str = "") -> bool:
        """Cancel a run, begun or not.

        An async handler is cancelled at its next await; a plain one is asked to stop
        (`run.check_cancelled()`).

        Returns:
            Whether there was anything to cancel: False if it had ended.

        Raises:
            UnknownRunError: There is no such run.
        """
        text = str(reason)[:500] or "cancelled by hand"
        return await runverbs.cancel_run(
            self._core("cancel_run"), _run_id(run), reason=text
        )

    async def retry_run(self, run: str | RunSnapshot) -> RunSnapshot:
        """Run what failed once more, as a run of its own.

        Raises:
            UnknownRunError: There is no such run.
            UsageError: It did not fail.
        """
        core = self._core("retry_run")
        return run_view(
            await runverbs.read_run(core, await runverbs.retry_run(core, _run_id(run)))
        )

    async def runs(  # noqa: PLR0913  the words of the API
        self,
        job: str | JobSnapshot | None = None,
        *,
        outcome: Outcome | str | None = None,
        state: RunState | str | None = None,
        origin: Origin | str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Page[RunSnapshot]:
        """Read runs and records of what was not run, the newest first.

        Args:
            job: Only of this job.
            outcome: Only with this outcome.
            state: Only in this state: "waiting", "ready", "claimed", "finished".
            origin: Only of this origin.
            since: Only scheduled at or after it.
            until: Only scheduled before it.
            after: The `next` of the page before.
            limit: 1 to 10,000.
        """
        count_in_range(limit, name="limit", most=PAGE_MAX)
        query = RunQuery(
            job_id=None if job is None else _job_id(job),
            outcomes=None
            if outcome is None
            else (_member(Outcome, outcome, name="outcome"),),
            states=None if state is None else (_member(RunState, state, name="state"),),
            origin=None if origin is None else _member(Origin, origin, name="origin"),
            since=None if since is None else instant_from(since),
            until=None if until is None else instant_from(until),
            after=after,
            limit=limit,
        )
        page = await self._core("runs").adapter.read_runs(query)
        return Page(items=tuple(map(run_view, page.items)), next=page.next)

    async def get_run(self, run: str | RunSnapshot) -> RunSnapshot:
        """Read one run.

        Raises:
            UnknownRunError: There is no such run.
        """
        return run_view(await runverbs.read_run(self._core("get_run"), _run_id(run)))

    async def wait_for(
        self,
        run: str | RunSnapshot,
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109  it survives a restart
        raise_on_failure: bool = False,
    ) -> RunSnapshot:
        """Wait until a run has ended, on whatever instance.

        Args:
            run: Which run.
            timeout: For how long; for as long as it takes without one.
            raise_on_failure: Raise if it did not succeed.

        Returns:
            The run with its outcome and result.

        Raises:
            UnknownRunError: There is no such run.
            TimeoutError: It has not ended in time.
            RunFailedError: It did not succeed, and that was to be raised.
        """
        core = self._core("wait_for")
        until_us = None
        if timeout is not None:
            until_us = core.clock.monotonic_us() + span_us(timeout, name="timeout")
        ended = run_view(
            await runverbs.wait_for_run(core, _run_id(run), until_us=until_us)
        )
        if raise_on_failure and ended.outcome is not Outcome.SUCCEEDED:
            raise RunFailedError(
                run_id=ended.id,
                outcome=str(ended.outcome),
                error=ended.error or ended.reason,
            )
        return ended

    async def stats(self, job: str | JobSnapshot | None = None) -> StatsSnapshot:
        """Read the statistics of a job, or of all jobs added up.

        Raises:
            UnknownJobError: There is no such job.
        """
        core = self._core("stats")
        if job is None:
            (total,) = await core.adapter.read_stats(None)
            return stats_view(total, job=None)
        stored = await jobverbs.read_job(core, _job_id(job))
        (stats,) = await core.adapter.read_stats([stored.id])
        return stats_view(stats, job=stored)

    async def instances(self) -> tuple[InstanceSnapshot, ...]:
        """List the instances that share this store, the oldest first."""
        listed = await self._core("instances").adapter.read_instances()
        return tuple(map(instance_view, listed))

    async def health(self) -> HealthSnapshot:
        """Say whether this instance does its work; also when the store does not."""
        return await overview.health_of(self._core("health"))

    async def check(self) -> StoreSummary:
        """Look for broken invariants and dangerous settings in the store. Slow."""
        core = self._core("check")
        return await core.adapter.summary(now=core.time.now(), is_deep=True)

    async def snapshot(self, *, limit: int = 1_000) -> SchedulerSnapshot:
        """Read everything at a glance.

        Args:
            limit: At most so many jobs, 1 to 10,000.
        """
        count_in_range(limit, name="limit", most=PAGE_MAX)
        return await overview.snapshot_of(self._core("snapshot"), jobs_max=limit)

    def events(self) -> EventStream:
        """Iterate over what happens on all instances, from now until the stop.

        `async with scheduler.events() as events` listens from there on, a bare
        `async for` from its first step. A reader that does not keep up loses the
        oldest; the numbers (`seq`) show it.
        """
        bus = self._running("events").bus
        return EventStream(subscribe=bus.subscribe, unsubscribe=bus.unsubscribe)

    def _running(self, verb: str) -> Engine:
        if self._engine is None:
            raise NotRunningError(verb)
        return self._engine

    def _core(self, verb: str) -> Core:
        return self._running(verb).core


def _job_id(job: str | JobSnapshot) -> str:
    if isinstance(job, str):
        return job
    if hasattr(job, "id"):
        return str(job.id)
    msg = f"which job? expected its id or a job, not {job!r}"
    raise UsageError(msg)


def _run_id(run: str | RunSnapshot) -> str:
    if isinstance(run, str):
        return run
    if isinstance(run, RunSnapshot):
        return run.id
    msg = f"which run? expected its id or a run, not {run!r}"
    raise UsageError(msg)


M = TypeVar("M", JobStatus, RunState, Outcome, Origin, IfExists)


def _member(kind: type[M], value: str, *, name: str) -> M:
    try:
        return kind(value)
    except ValueError:
        known = [member.value for member in kind]
        msg = f"{name} must be one of {known}, not {value!r}"
        raise UsageError(msg) from None


def _if_exists(value: str) -> IfExists:
    return _member(IfExists, value, name="if_exists")
