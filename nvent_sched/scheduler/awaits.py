"""The verbs about waits and deadlines that outlive their process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.policies import count_in_range
from nvent_sched._model.queries import PAGE_MAX
from nvent_sched._rules.awaiting import (
    length_from,
    moment_after,
    moment_of,
    next_of,
)
from nvent_sched.errors import UsageError
from nvent_sched.patterns import Deadline
from nvent_sched.scheduler.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.queries import Page
    from nvent_sched._model.schedules import Schedule
    from nvent_sched._model.snapshots import AwaitResult, AwaitSnapshot


class AwaitVerbs(Verbs):
    """What waits for time."""

    async def sleep(  # noqa: PLR0913  the units people think in
        self,
        key: str,
        length: timedelta | None = None,
        *,
        weeks: float | None = None,
        days: float | None = None,
        hours: float | None = None,
        minutes: float | None = None,
        seconds: float | None = None,
        milliseconds: float | None = None,
    ) -> AwaitResult:
        """Wait for a length of time, also across restarts.

        The time at which it ends is stored under the key before anything is waited for.
        The first call counts: another caller, another instance or this program after a
        restart waits only for the rest, whatever length it gives, and goes on at once if
        the time is past. So a key stands for one wait: in a loop each round has a key of
        its own. Finished keys are kept for `history_success`.

        Args:
            key: What the wait is known by, everywhere on this store.
            length: How long; or in parts, which are added up.
            weeks: Part of it.
            days: Part of it: 24 hours each, also across a clock change.
            hours: Part of it.
            minutes: Part of it.
            seconds: Part of it.
            milliseconds: Part of it.

        Returns:
            When it was to end, when it did, and how late that is.

        Raises:
            UsageError: The key or the length is not allowed.
            AwaitCancelledError: Somebody cancelled the wait.
            NotRunningError: The scheduler stopped meanwhile; the stored time stays.
            StoreError: The time could not be stored; nothing was waited for.
        """
        patterns = self._patterned("sleep")
        units = {
            "weeks": weeks,
            "days": days,
            "hours": hours,
            "minutes": minutes,
            "seconds": seconds,
            "milliseconds": milliseconds,
        }
        length_us = length_from(length, units, name="sleep")
        at = moment_after(length_us, now=patterns.core.time.now())
        return await patterns.awaits.wait(key, at=at, verb="sleep")

    async def sleep_until(self, key: str, moment: datetime) -> AwaitResult:
        """Wait until a moment, also across restarts.

        As `sleep` with the time said outright: the first call for a key counts. A moment
        that is past is no wait, but has a lateness.

        Args:
            key: What the wait is known by, everywhere on this store.
            moment: When it ends; aware.

        Raises:
            UsageError: The key or the moment is not allowed.
            AwaitCancelledError: Somebody cancelled the wait.
            NotRunningError: The scheduler stopped meanwhile; the stored time stays.
            StoreError: The time could not be stored; nothing was waited for.
        """
        patterns = self._patterned("sleep_until")
        at = moment_of(moment, name="moment")
        return await patterns.awaits.wait(key, at=at, verb="sleep_until")

    async def wait_for_next(self, key: str, schedule: Schedule) -> AwaitResult:
        """Wait for the next time of a schedule, also across restarts.

        The time is found once, from the store's time at the first call for the key, and
        then stands. In a loop each round has a key of its own.

        Args:
            key: What the wait is known by, everywhere on this store.
            schedule: `Cron(...)`, or `Interval(...)`, which counts from its anchor or
                from the first call.

        Raises:
            UsageError: The key is not allowed, or the schedule has no time after now.
            AwaitCancelledError: Somebody cancelled the wait.
            NotRunningError: The scheduler stopped meanwhile; the stored time stays.
            StoreError: The time could not be stored; nothing was waited for.
        """
        patterns = self._patterned("wait_for_next")
        at = next_of(schedule, now=patterns.core.time.now())
        return await patterns.awaits.wait(key, at=at, verb="wait_for_next")

    async def cancel_await(self, key: str, *, reason: str = "") -> bool:
        """Cancel a wait: `AwaitCancelledError` is raised wherever somebody waits for it.

        On other instances that takes as long as a hint. Who asks for the key later is
        told the same, until it is forgotten (`history_success`).

        Args:
            key: Of the wait.
            reason: Kept with it and told to who waits.

        Returns:
            Whether there was anything to cancel: False if no such wait is stored or its
            time has come.
        """
        awaits = self._patterned("cancel_await").awaits
        return await awaits.cancel(key, reason=str(reason))

    async def awaits(
        self, *, after: str | None = None, limit: int = 100
    ) -> Page[AwaitSnapshot]:
        """Read the waits whose time has not come, in the order of their keys.

        Args:
            after: The `next` of the page before.
            limit: 1 to 10,000.
        """
        count_in_range(limit, name="limit", most=PAGE_MAX)
        awaits = self._patterned("awaits").awaits
        return await awaits.pending(after=after, limit=limit)

    def deadline(  # noqa: PLR0913  the units people think in
        self,
        key: str,
        length: timedelta | None = None,
        *,
        until: datetime | None = None,
        weeks: float | None = None,
        days: float | None = None,
        hours: float | None = None,
        minutes: float | None = None,
        seconds: float | None = None,
        milliseconds: float | None = None,
    ) -> Deadline:
        """Limit work by a stored moment: `async with scheduler.deadline(key, hours=2):`.

        At that moment the body is cancelled and `DeadlineError`, a `TimeoutError`, raised.

        The moment is stored under the key first; the first call counts, also after a
        restart. A body that ends well forgets it. One that ends otherwise (an error, a
        stop, a crash) leaves it, so the next try has only the rest, and none if the
        moment is past.

        Args:
            key: What the deadline is known by, everywhere on this store.
            length: How long the work may take; or in parts, which are added up.
            until: The moment itself instead; aware.
            weeks: Part of it.
            days: Part of it: 24 hours each, also across a clock change.
            hours: Part of it.
            minutes: Part of it.
            seconds: Part of it.
            milliseconds: Part of it.

        Raises:
            UsageError: The key, the length or the moment is not allowed.
        """
        awaits = self._patterned("deadline").awaits
        units = {
            "weeks": weeks,
            "days": days,
            "hours": hours,
            "minutes": minutes,
            "seconds": seconds,
            "milliseconds": milliseconds,
        }
        at = _moment_from(length, units, until=until)
        return Deadline(awaits.deadline(key, at=at))


def _moment_from(
    length: timedelta | None,
    units: Mapping[str, float | None],
    *,
    until: datetime | None,
) -> Callable[[Instant], Instant]:
    """Say how to find the moment of a deadline from the store's time."""
    if until is None:
        length_us = length_from(length, units, name="deadline")
        return lambda now: moment_after(length_us, now=now)
    if length is not None or any(count is not None for count in units.values()):
        msg = "say how long the work may take, or until when; not both"
        raise UsageError(msg)
    moment = moment_of(until, name="until")
    return lambda now: moment  # noqa: ARG005  it is said outright
