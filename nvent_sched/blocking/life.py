"""The loop of a blocking scheduler: a thread of its own, from the start to the stop.

The thread is a daemon: a script that forgets to stop is drained at its exit, and never
kept from it. What waits for the loop can be interrupted (Ctrl-C): it is cancelled there.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import anyio

from nvent_sched._engine.clock import SystemClock
from nvent_sched._engine.signals import into_this_loop
from nvent_sched._model.instants import MICROSECOND, SECOND_US
from nvent_sched.blocking.portal import Portal
from nvent_sched.blocking.reply import LOOK_UP_S, Reply
from nvent_sched.errors import NotRunningError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched.scheduler import Scheduler

P = ParamSpec("P")
T = TypeVar("T")
LAST_WORDS_US: Final = 15 * SECOND_US
"""How much longer than its grace an end waits for a loop that a handler keeps."""


class Life:
    """One life of a scheduler after another, each in a thread with a loop.

    Args:
        scheduler: The async one; used by nobody else.
        backend: "asyncio" or "trio".
    """

    def __init__(self, scheduler: Scheduler, *, backend: str) -> None:
        self._scheduler, self._backend = scheduler, backend
        self._portal = Portal()
        self._thread: threading.Thread | None = None
        # Not a plain lock: a signal handler may start it as well.
        self._beginning = threading.RLock()
        self._pid = os.getpid()
        self._failure: BaseException | None = None
        self._has_begun = False
        self._clock = SystemClock()
        self._leave_at_us: int | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started, in this process, and has not ended."""
        thread = self._thread
        is_ours = self._pid == os.getpid()
        return is_ours and thread is not None and thread.is_alive()

    def start(self) -> None:
        """Start the thread, its loop and the scheduler; return when it fires.

        Raises:
            UsageError: It is running already, or was started before a fork.
            StoreError: The store cannot be opened.
        """
        self._refuse_fork("start")
        started: Reply[None] = Reply()
        thread = self._begin(started)
        try:
            started.wait()
        except BaseException:
            started.cancel()
            thread.join()
            self._forget(thread)
            raise

    def _begin(self, started: Reply[None]) -> threading.Thread:
        """Start the thread, unless another one did."""
        with self._beginning:
            if self.is_running:
                msg = "this scheduler is running already"
                raise UsageError(msg)
            self._pid, self._failure, self._has_begun = os.getpid(), None, False
            self._leave_at_us = None
            self._thread = thread = threading.Thread(
                target=self._run, args=(started,), name="nvent-loop", daemon=True
            )
            thread.start()
        return thread

    def _forget(self, thread: threading.Thread) -> None:
        """Be rid of a thread that has ended, unless the next one has begun."""
        with self._beginning:
            if self._thread is thread:
                self._thread = None

    def _run(self, started: Reply[None]) -> None:
        """Live, as the thread."""
        try:
            anyio.run(self._live, started, backend=self._backend)
        except BaseException as error:  # noqa: BLE001  told to who waits
            self._failure = error
        if started.fail(self._failure or NotRunningError("start")):
            self._failure = None

    async def _live(self, started: Reply[None]) -> None:
        call_soon = into_this_loop()
        with anyio.CancelScope() as starting:
            started.when_cancelled(lambda: call_soon(starting.cancel))
            try:
                async with self._portal.open():
                    await self._stay(started)
            except BaseExceptionGroup as group:
                raise _alone(group) from None

    async def _stay(self, started: Reply[None]) -> None:
        async with self._scheduler as scheduler:
            self._has_begun = True
            if started.give(None):
                await scheduler.wait_until_stopped()
                self._leave_soon(LAST_WORDS_US)

    def call(
        self, verb: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Have a verb awaited in the loop, and wait for it.

        Raises:
            NotRunningError: It was not started, or stopped meanwhile.
            UsageError: We are in its loop ourselves, or in a forked process.
            Exception: What the verb raises.
        """
        return self.result_of(self.begin(verb, *args, **kwargs), verb=verb.__name__)

    def begin(
        self, verb: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Reply[T]:
        """Have a verb awaited in the loop; do not wait for it. Raises as `call`."""
        self._refuse_wrong_place(verb.__name__)
        reply = self._portal.begin(partial(verb, *args, **kwargs))
        if reply is None:
            raise NotRunningError(verb.__name__)
        return reply

    def begin_stop(self, *, grace_us: int) -> Reply[None] | None:
        """Begin the stop; None if there is nothing to stop, or not yet."""
        if not (self._has_begun and self.is_running):
            return None
        self._leave_soon(grace_us + LAST_WORDS_US)
        with suppress(NotRunningError):
            return self.begin(self._scheduler.stop)
        return None

    def result_of(
        self, reply: Reply[T], *, verb: str, timeout_s: float | None = None
    ) -> T:
        """Wait for what was begun; who is interrupted while waiting cancels it."""
        try:
            return reply.wait(timeout_s)
        except CancelledError:
            raise NotRunningError(verb) from None
        except BaseException:
            reply.cancel()
            raise
        finally:
            del reply  # its error's traceback would hold us

    def stop(self, *, grace_us: int) -> bool:
        """Have it stopped; False if its loop does not come to it in time.

        Raises:
            NotRunningError: It has stopped, or was not started.
        """
        stopping = self.begin(self._scheduler.stop, grace=MICROSECOND * grace_us)
        patience_s = (grace_us + LAST_WORDS_US) / SECOND_US
        try:
            self.result_of(
                stopping, verb="stop", timeout_s=min(patience_s, threading.TIMEOUT_MAX)
            )
        except TimeoutError:
            return False
        return True

    def _leave_soon(self, within_us: int) -> None:
        self._leave_at_us = self._clock.monotonic_us() + within_us

    def _is_too_late(self) -> bool:
        leave_at_us = self._leave_at_us
        return leave_at_us is not None and self._clock.monotonic_us() >= leave_at_us

    def join(self) -> bool:
        """Wait for the end of the thread; once, tell what ended it by force.

        Returns:
            Whether it has ended: one whose loop a handler keeps is left behind.
        """
        thread = self._thread
        if thread is None or self._pid != os.getpid():
            return True
        while thread.is_alive():
            if self._is_too_late():
                return False
            thread.join(LOOK_UP_S)
        self._forget(thread)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return True

    def _refuse_wrong_place(self, verb: str) -> None:
        self._refuse_fork(verb)
        thread = self._thread
        if thread is None:
            raise NotRunningError(verb)
        if thread.ident == threading.get_ident():
            msg = (
                f"{verb}: a handler in the scheduler's own loop cannot wait for it "
                f"without stopping it; use `await scheduler.async_scheduler.{verb}(...)`"
            )
            raise UsageError(msg)

    def _refuse_fork(self, verb: str) -> None:
        """A forked process has neither our thread nor the right to our connections."""
        if self._thread is not None and self._pid != os.getpid():
            msg = (
                f"{verb}: this scheduler was started in process {self._pid}, before the "
                f"fork to {os.getpid()}; make a new one here, or start it after the fork"
            )
            raise UsageError(msg)


def _alone(error: BaseException) -> BaseException:
    """Take what went wrong out of the groups that a task group wraps it in."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
