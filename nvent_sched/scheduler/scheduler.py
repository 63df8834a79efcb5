"""The async front door: how it starts and ends; its verbs are in the other modules."""

from __future__ import annotations

import os
import platform
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Self, cast
from uuid import uuid4

import anyio

from nvent_sched._engine import jobverbs
from nvent_sched._engine.calling import own_run
from nvent_sched._engine.clock import SystemClock
from nvent_sched._engine.core import Core
from nvent_sched._engine.options import Options
from nvent_sched._engine.registry import Registry
from nvent_sched._engine.supervision import Engine
from nvent_sched._model.instants import span_us
from nvent_sched._rules.registration import IfExists
from nvent_sched._rules.retention import Retention
from nvent_sched._rules.trust import Timing
from nvent_sched.adapters import open_adapter
from nvent_sched.errors import UsageError
from nvent_sched.patterns import Patterns
from nvent_sched.scheduler.declaring import DeclaringVerbs
from nvent_sched.scheduler.jobs import JobVerbs
from nvent_sched.scheduler.patterns import PatternVerbs
from nvent_sched.scheduler.runs import RunVerbs
from nvent_sched.scheduler.state import StateVerbs

if TYPE_CHECKING:
    from types import TracebackType

    from nvent_sched._model.jobs import JobDefinition
    from nvent_sched._model.showing import Dashboard, DashboardOptions
    from nvent_sched._port import Adapter, Clock

DEFAULT_URL = "sqlite:///nvent_sched.db"
STORE_VARIABLE = "NVENT_SCHED_URL"


class Scheduler(DeclaringVerbs, JobVerbs, RunVerbs, StateVerbs, PatternVerbs):
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
        heartbeat: How often the instance says that it lives; on Redis at least every 5
            seconds.
        dead_after: When others take it for dead. At least three heartbeats.
        history_runs: How many ended runs of a job are kept.
        history_success: For how long what went well is kept.
        history_failure: For how long what went wrong is kept.
        grace: How long a stop waits for runs to end by themselves; what for it logs after
            a second (a warning), and an interrupt (Ctrl-C) ends the wait.
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
        is_url = isinstance(store, str) or not hasattr(store, "take_due")
        # What is no URL either is refused there.
        self._adapter: Adapter = (
            open_adapter(cast("str", store)) if is_url else cast("Adapter", store)
        )
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
        self._dashboards: dict[DashboardOptions, Dashboard] = {}
        self._disabled: set[str] = set()
        self._engine: Engine | None = None
        self._patterns: Patterns | None = None
        self._stack: AsyncExitStack | None = None
        self._is_entered = False
        self._task_id: int | None = None

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

        Call `stop` from the same task. Each cell of a notebook is a task of its own: there
        use `async with` in one cell, or `BlockingScheduler`.

        Raises:
            UsageError: It is running already.
            StoreError: The store cannot be opened.
        """
        if self._task_id is not None:
            msg = "this scheduler is running already"
            raise UsageError(msg)
        async with AsyncExitStack() as stack:
            stack.callback(self._forget_task)
            # No other task can have it meanwhile: what is open keeps this one.
            self._task_id = anyio.get_current_task().id
            await self._adapter.open(now=self._clock.now())
            core = self._new_core()
            self._patterns = patterns = Patterns(core)
            engine = Engine(
                core,
                runs_handlers=self._runs_handlers,
                companions=patterns.companions,
            )
            stack.push_async_callback(engine.last_words.close, self._adapter.close)
            stack.callback(self._forget_engine)
            stack.push_async_callback(patterns.end, engine.last_words)
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

    def _forget_task(self) -> None:
        self._task_id = None

    def _forget_engine(self) -> None:
        self._engine = self._patterns = None

    async def _declare(self) -> None:
        core, patterns = self._core("start"), self._patterned("start")
        declared = list(self._declared.values())
        disabled = [each for each in declared if each.id in self._disabled]
        await patterns.triggers.put_disabled(disabled)
        await jobverbs.put_definitions(core, declared, if_exists=IfExists.UPDATE)
        await patterns.begin(declared)

    async def stop(self, *, grace: timedelta | None = None) -> None:
        """Stop: take nothing more, let runs end, give back the rest.

        A handler of its own only asks for the stop, which could not end before it.

        Args:
            grace: How long runs may take to end; the scheduler's own without one.

        Raises:
            UsageError: The grace is not allowed, or it was started by another task.
        """
        engine = self._engine
        if engine is None:
            return
        if own_run(engine.core.instance_id) is not None:
            engine.request_stop()
            return
        self._refuse_other_task()
        grace_us = self._options.grace_us
        if grace is not None:
            grace_us = span_us(grace, name="grace")
        await engine.stop(grace_us=grace_us)
        if self._stack is not None and not self._is_entered:
            await self.__aexit__(None, None, None)

    def _refuse_other_task(self) -> None:
        """What a task has opened without a block around it, only that task can close."""
        is_open = self._stack is not None and not self._is_entered
        if is_open and anyio.get_current_task().id != self._task_id:
            msg = (
                "stop: another task has started this scheduler, and only that one can "
                "stop it; each cell of a notebook is a task of its own: use `async with` "
                "in one cell, or BlockingScheduler"
            )
            raise UsageError(msg)

    async def wait_until_stopped(self) -> None:
        """Wait until somebody stopped this scheduler.

        Raises:
            NotRunningError: It is not started.
        """
        await self._running("wait_until_stopped").stopped.wait()
