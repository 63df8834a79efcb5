"""The blocking front door: how it starts and ends; its verbs are in the other modules."""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn, Self

from nvent_sched._engine.calling import current_run, own_run
from nvent_sched._logs import logger_of
from nvent_sched._model.instants import span_us
from nvent_sched._model.spans import us_words
from nvent_sched.blocking.declaring import DeclaringVerbs
from nvent_sched.blocking.jobs import JobVerbs
from nvent_sched.blocking.life import Life
from nvent_sched.blocking.patterns import PatternVerbs
from nvent_sched.blocking.runs import RunVerbs
from nvent_sched.blocking.signals import heeding_signals
from nvent_sched.blocking.state import StateVerbs
from nvent_sched.errors import NotRunningError, UsageError
from nvent_sched.scheduler import Scheduler

if TYPE_CHECKING:
    from types import TracebackType

    from nvent_sched._engine.context import RunContext
    from nvent_sched._port import Adapter, Clock

log: Final = logger_of(__name__)
BACKENDS: Final = ("asyncio", "trio")


class BlockingScheduler(DeclaringVerbs, JobVerbs, RunVerbs, StateVerbs, PatternVerbs):
    """The same verbs as `Scheduler` without `await`, for plain scripts and notebooks.

    `with scheduler:` starts it and stops it in order, or `start` and `stop`, or
    `run_forever`. A script that ends without a stop waits for its runs within the
    grace. Plain handlers run in worker threads, async ones in the scheduler's own loop,
    in a thread of its own; so it works where a loop is already running. Any thread may
    use it, but not an async handler, which has `async_scheduler`.

    After a fork a scheduler that was started before can be used by the parent only.

    Args:
        store: A URL (`sqlite:///jobs.db`, `memory:`) or an adapter. Without one the
            environment's NVENT_SCHED_URL, else `sqlite:///nvent_sched.db`.
        backend: "asyncio" or "trio": the kind of its loop.
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
        backend: str = "asyncio",
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
        if backend not in BACKENDS:
            msg = f"backend must be one of {list(BACKENDS)}, not {backend!r}"
            raise UsageError(msg)
        self._scheduler = Scheduler(
            store,
            runs_handlers=runs_handlers,
            max_running=max_running,
            max_threads=max_threads,
            max_processes=max_processes,
            lease=lease,
            heartbeat=heartbeat,
            dead_after=dead_after,
            history_runs=history_runs,
            history_success=history_success,
            history_failure=history_failure,
            grace=grace,
            capture_logging=capture_logging,
            clock=clock,
        )
        self._grace_us = span_us(grace, name="grace")
        self._life = Life(self._scheduler, backend=backend)

    def __repr__(self) -> str:
        """Say which store, and whether it runs."""
        state = "running" if self._life.is_running else "not running"
        return f"<BlockingScheduler {self.url} {state}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be sent to another process.

        Raises:
            UsageError: Always.
        """
        msg = (
            "a scheduler cannot be pickled or sent to another process; make one there, "
            f"on the same store: BlockingScheduler({self.url!r})"
        )
        raise UsageError(msg)

    @property
    def async_scheduler(self) -> Scheduler:
        """The scheduler underneath, for async handlers: they run in its loop."""
        return self._scheduler

    @property
    def url(self) -> str:
        """Where the store is; without any secret."""
        return self._scheduler.url

    @property
    def instance_id(self) -> str:
        """The id of this instance.

        Raises:
            NotRunningError: It is not started.
        """
        return self._scheduler.instance_id

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, in order."""
        self.stop()

    def start(self) -> None:
        """Start; `with` does the same and cannot be forgotten.

        Raises:
            UsageError: It is running already.
            StoreError: The store cannot be opened.
        """
        self._life.start()
        atexit.register(self._at_exit)

    def stop(self, *, grace: timedelta | None = None) -> None:
        """Stop: take nothing more, let runs end, give back the rest.

        A handler of its own only asks for the stop, which could not end before it.

        Args:
            grace: How long runs may take to end; the scheduler's own without one.

        Raises:
            UsageError: The grace is not allowed, or it was started by another task.
        """
        run = self._own_run()
        grace_us = self._grace_us if grace is None else span_us(grace, name="grace")
        # It may have stopped already, or be stopped by another thread meanwhile.
        with suppress(NotRunningError):
            if run is not None:
                self._life.call(self._ask_to_stop, run)
            elif self._life.is_running and not self._life.stop(grace_us=grace_us):
                self._leave_behind()
                return
        if run is None:
            self._leave()

    def _own_run(self) -> RunContext | None:
        """Give the run of ours that the caller is within."""
        with suppress(NotRunningError):
            return own_run(self.instance_id)
        return None

    async def _ask_to_stop(self, run: RunContext) -> None:
        """Ask for the stop on behalf of a handler, which runs in another context."""
        current_run.set(run)
        await self._scheduler.stop()

    def _leave(self) -> None:
        if self._life.join():
            atexit.unregister(self._at_exit)
        else:
            self._leave_behind()

    def _leave_behind(self) -> None:
        """Wait no more for a loop that a handler keeps; its thread keeps no process."""
        atexit.unregister(self._at_exit)
        log.error(
            "the scheduler did not stop within its grace of %s; what was going is taken "
            "up by another instance or the next start",
            us_words(self._grace_us),
            extra={"pid": os.getpid()},
        )

    def _at_exit(self) -> None:
        """Drain, when the script ends without a stop; one more Ctrl-C leaves at once."""
        if self._life.is_running:
            with suppress(KeyboardInterrupt):
                self.stop()

    def wait_until_stopped(self) -> None:
        """Wait until somebody stopped this scheduler.

        Raises:
            NotRunningError: It is not started.
        """
        self._call(self._scheduler.wait_until_stopped)

    def run_forever(self) -> None:
        """Start, unless it runs already, and stay until a signal or a stop.

        Once it fires, the first SIGINT or SIGTERM stops in order, the second at once,
        if it comes half a second later or more: one may be sent twice. Outside of the
        main thread no signal is heeded.

        Raises:
            StoreError: The store cannot be opened.
        """
        with heeding_signals(partial(self._life.begin_stop, grace_us=self._grace_us)):
            if not self._life.is_running:
                self.start()
            self._leave()
