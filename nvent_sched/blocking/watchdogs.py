"""The verbs about work that may stall."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self

from nvent_sched._rules.watching import ALARM_RETRY
from nvent_sched.blocking.verbs import Verbs
from nvent_sched.patterns.sweeps import SWEEP_ID
from nvent_sched.scheduler.watchdogs import SWEEP_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta
    from types import TracebackType

    from nvent_sched._model.policies import Retry
    from nvent_sched._model.queries import Page
    from nvent_sched._model.watchdogs import WatchdogSnapshot, WatchState
    from nvent_sched.blocking.life import Life
    from nvent_sched.patterns.watchdog import Watchdog


class BlockingWatchdog:
    """Watches a piece of work: without a sign of life for too long, an alarm is raised.

    `with` starts it and, at the end of the block, finishes it. A block that is left by an
    exception leaves it armed: the work is not finished, so unless it is started again in
    time, here or elsewhere, the alarm is raised.

    Attributes:
        key: Of the work.
    """

    def __init__(self, watchdog: Watchdog, *, life: Life) -> None:
        self._watchdog, self._life = watchdog, life
        self.key: str = watchdog.key

    def __repr__(self) -> str:
        """Say which work."""
        return f"<BlockingWatchdog {self.key}>"

    def start(self) -> WatchdogSnapshot:
        """Begin to watch, or go on with what was watched under the key: that is a sign.

        Raises:
            StoreError: It could not be stored.
        """
        return self._life.call(self._watchdog.start)

    def beat(self) -> None:
        """Give a sign of life. From any thread, as often as you like: it waits for nothing.

        Before the start and after the end it does nothing.
        """
        self._watchdog.beat()

    def finish(self) -> bool:
        """Stop watching: the work is done.

        If the store cannot take it now, it is written as soon as the store can.

        Returns:
            Whether it was watched.
        """
        return self._life.call(self._watchdog.finish)

    def __enter__(self) -> Self:
        """Start.

        Raises:
            StoreError: It could not be stored.
        """
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish, unless the block was left by an exception."""
        self._life.call(self._watchdog.__aexit__, kind, error, trace)


class WatchdogVerbs(Verbs):
    """What notices that work has stalled."""

    def watchdog(
        self,
        key: str,
        *,
        timeout: timedelta,
        on_stall: Callable[..., Any] | str | None = None,
        metadata: Mapping[str, Any] | None = None,
        retry: Retry = ALARM_RETRY,
    ) -> BlockingWatchdog:
        """Watch a piece of work, for the length of a block: it gives signs by `beat()`.

        If there is none for *timeout*, or the instance dies, an instance that is alive
        raises the alarm, once: an event, `stalled`, and a run of *on_stall*. The next
        sign is told as `recovered`. A restarted process goes on with the same key.

        Args:
            key: Of the work; 1 to 191 characters.
            timeout: How long it may be silent; 0.1 s to 100 years.
            on_stall: A function, or the name of a handler. It is called with one
                argument after the run's context, if it takes that: a mapping with
                `key`, `reason`, `last_beat`, `timeout` (s), `owner` and `metadata`. A
                function is known to this process from here on; make it a `handler`, so
                that every instance can call it from its start.
            metadata: Yours, as a JSON object.
            retry: What to do if *on_stall* fails. Three attempts by default.

        Raises:
            UsageError: Something about it is not allowed.
        """
        watchdog = self._where_the_loop_is(
            partial(
                self._scheduler.watchdog,
                key,
                timeout=timeout,
                on_stall=on_stall,
                metadata=metadata,
                retry=retry,
            )
        )
        return BlockingWatchdog(watchdog, life=self._life)

    def start_watchdog(
        self,
        key: str,
        *,
        timeout: timedelta,
        on_stall: Callable[..., Any] | str | None = None,
        metadata: Mapping[str, Any] | None = None,
        retry: Retry = ALARM_RETRY,
    ) -> WatchdogSnapshot:
        """Begin to watch a piece of work that is no block of code; else as `watchdog`.

        Raises:
            UsageError: Something about it is not allowed.
            StoreError: The store could not take it.
        """
        return self._call(
            self._scheduler.start_watchdog,
            key,
            timeout=timeout,
            on_stall=on_stall,
            metadata=metadata,
            retry=retry,
        )

    def beat_watchdog(self, key: str) -> None:
        """Give a sign of life, on whatever instance the work was started.

        From any thread, as often as you like: it waits for nothing, and is stored a few
        times in a time-out. Work that nobody watches needs none.
        """
        self._scheduler.beat_watchdog(key)

    def finish_watchdog(self, key: str) -> bool:
        """Stop watching: the work is done.

        If the store cannot take it now, it is written as soon as the store can.

        Returns:
            Whether it was watched.
        """
        return self._call(self._scheduler.finish_watchdog, key)

    def watchdogs(
        self,
        *,
        state: WatchState | str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Page[WatchdogSnapshot]:
        """Read watchdogs in the order of their keys, a page at a time.

        Also those of runs whose job has `stall_after`.

        Args:
            state: "alive" or "stalled", both without one; "ended" for work that is done
                but whose alarms are kept.
            after: The `next` of the page before.
            limit: 1 to 10,000.
        """
        return self._call(
            self._scheduler.watchdogs, state=state, after=after, limit=limit
        )

    def stall_sweep(
        self,
        find: Callable[[], Any],
        *,
        timeout: timedelta,
        on_stall: Callable[..., Any] | str | None = None,
        every: timedelta = SWEEP_EVERY,
        id: str = SWEEP_ID,  # noqa: A002  the API's word
        retry: Retry = ALARM_RETRY,
    ) -> None:
        """Declare a job that looks for stalled work, where only a last activity is kept.

        Args:
            find: Gives a mapping from the key of each work that goes on to when it was
                active last, as an aware datetime. Async, or plain in a worker thread.
            timeout: How long work may be silent.
            on_stall: What an alarm calls, once a silence; as of `watchdog`.
            every: How often it looks.
            id: The job's id.
            retry: What to do if *on_stall* fails.

        Raises:
            UsageError: Something about it is not allowed.
        """
        self._where_the_loop_is(
            partial(
                self._scheduler.stall_sweep,
                find,
                timeout=timeout,
                on_stall=on_stall,
                every=every,
                id=id,
                retry=retry,
            )
        )
