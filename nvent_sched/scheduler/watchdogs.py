"""The verbs about work that may stall."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._engine.registry import Executor, handler_of
from nvent_sched._model.instants import MILLISECOND_US, instant_from, span_us
from nvent_sched._model.policies import Retry, count_in_range
from nvent_sched._model.queries import PAGE_MAX, Page
from nvent_sched._model.watchdogs import WatchState
from nvent_sched._rules.declaring import definition_from, metadata_text
from nvent_sched._rules.schedules import Interval
from nvent_sched._rules.watching import ALARM_RETRY, watch_definition, watchdog_view
from nvent_sched.errors import UsageError
from nvent_sched.patterns.looking import read_watchdogs
from nvent_sched.patterns.runwatches import QUIET
from nvent_sched.patterns.sweeps import SWEEP_ID, Sweep
from nvent_sched.patterns.watchdog import Watchdog, watch_id_of
from nvent_sched.scheduler.declaring import refuse_namesake
from nvent_sched.scheduler.verbs import Verbs, member_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._model.jobs import JobDefinition
    from nvent_sched._model.watchdogs import WatchdogSnapshot

TIMEOUT_US_MIN: Final = 100 * MILLISECOND_US
SWEEP_EVERY: Final = timedelta(minutes=15)


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
    ) -> Watchdog:
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
        definition = self._watch(
            key, timeout=timeout, on_stall=on_stall, metadata=metadata, retry=retry
        )
        return Watchdog(self._patterned("watchdog").watchdogs, definition)

    def _watch(
        self,
        key: str,
        *,
        timeout: timedelta,
        on_stall: Callable[..., Any] | str | None,
        metadata: Mapping[str, Any] | None,
        retry: Retry,
    ) -> JobDefinition:
        return watch_definition(
            watch_id_of(key),
            handler=self._alarm_of(on_stall),
            timeout_us=span_us(timeout, name="timeout", least_us=TIMEOUT_US_MIN),
            facts={"key": key, "owner": self._core("watchdog").instance_id},
            metadata=metadata_text({} if metadata is None else metadata),
            retry=_checked(retry),
        )

    def _alarm_of(self, on_stall: Callable[..., Any] | str | None) -> str:
        if on_stall is None:
            return QUIET
        name, entry = self._resolve(on_stall)
        if entry is not None:
            entry.check_arguments([{}], {})
        return name

    async def start_watchdog(
        self,
        key: str,
        *,
        timeout: timedelta,  # noqa: ASYNC109  of the work
        on_stall: Callable[..., Any] | str | None = None,
        metadata: Mapping[str, Any] | None = None,
        retry: Retry = ALARM_RETRY,
    ) -> WatchdogSnapshot:
        """Begin to watch a piece of work that is no block of code; else as `watchdog`.

        Raises:
            UsageError: Something about it is not allowed.
            StoreError: The store could not take it.
        """
        dog = self.watchdog(
            key, timeout=timeout, on_stall=on_stall, metadata=metadata, retry=retry
        )
        return await dog.start()

    def beat_watchdog(self, key: str) -> None:
        """Give a sign of life, on whatever instance the work was started.

        From any thread, as often as you like: it waits for nothing, and is stored a few
        times in a time-out. Work that nobody watches needs none.
        """
        self._patterned("beat_watchdog").watchdogs.beat(watch_id_of(key))

    async def finish_watchdog(self, key: str) -> bool:
        """Stop watching: the work is done.

        If the store cannot take it now, it is written as soon as the store can.

        Returns:
            Whether it was watched.
        """
        watchdogs = self._patterned("finish_watchdog").watchdogs
        return await watchdogs.finish(watch_id_of(key))

    async def watchdogs(
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
        count_in_range(limit, name="limit", most=PAGE_MAX)
        wanted = None if state is None else member_of(WatchState, state, name="state")
        core = self._core("watchdogs")
        page = await read_watchdogs(core, state=wanted, after=after, limit=limit)
        return Page(items=tuple(map(watchdog_view, page.items)), next=page.next)

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
        sweep = Sweep(
            id,
            timeout_us=span_us(timeout, name="timeout", least_us=TIMEOUT_US_MIN),
            handler=self._alarm_of(on_stall),
            retry=_checked(retry),
        )
        is_async = handler_of(find, name=id, executor=None).executor is Executor.LOOP

        async def look() -> dict[str, int]:
            core = self._core("stall_sweep")
            found = await (find() if is_async else core.threads.call(find))
            signs = self._patterned("stall_sweep").watchdogs.signs
            return await sweep.run(core, signs, last=_instants(found))

        entry = handler_of(look, name=id, executor=None)
        refuse_namesake(self._registry, entry, job_id=id, declared=self._declared)
        self._registry.add(entry)
        definition = definition_from(
            id,
            Interval(every),
            id=id,
            name="Stall detection" if id == SWEEP_ID else id,
            payload="{}",
            options={},
            is_declared=True,
        )
        self._declared[id] = definition
        if self._engine is not None:
            self._engine.declare_later(definition)


def _checked(retry: object) -> Retry:
    if isinstance(retry, Retry):
        return retry
    msg = f"retry must be a Retry(...), not {retry!r}"
    raise UsageError(msg)


def _instants(found: object) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        msg = f"a sweep needs a mapping from keys to datetimes, not {found!r:.80}"
        raise UsageError(msg)
    last: dict[str, Any] = {}
    for key, moment in found.items():
        if not isinstance(moment, datetime):
            msg = f"the last activity of {key!r} must be a datetime, not {moment!r:.80}"
            raise UsageError(msg)
        last[str(key)] = instant_from(moment)
    return last
