"""The verbs about waits and deadlines that outlive their process."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from nvent_sched._model.instants import moment_from
from nvent_sched.blocking.verbs import Verbs

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from nvent_sched._model.queries import Page
    from nvent_sched._model.schedules import Schedule
    from nvent_sched._model.snapshots import AwaitResult, AwaitSnapshot
    from nvent_sched.blocking.life import Life
    from nvent_sched.patterns import StoredDeadline


class BlockingDeadline:
    """A moment by which the body must have ended; it asks itself whether it may go on.

    Attributes:
        key: Of the deadline.
    """

    def __init__(self, stored: StoredDeadline, *, life: Life) -> None:
        self._stored, self._life = stored, life
        self.key: str = stored.key

    @property
    def at(self) -> datetime:
        """When it is, in UTC.

        Raises:
            UsageError: It was not entered.
        """
        return moment_from(self._stored.moment)

    @property
    def left(self) -> timedelta:
        """How long it is until then; nothing when it has come.

        Raises:
            UsageError: It was not entered.
        """
        return timedelta(microseconds=self._stored.left_us)

    def check(self) -> None:
        """Stop here if the moment has come. From any thread.

        Raises:
            DeadlineError: It has; a `TimeoutError`.
            NotRunningError: The scheduler stopped.
        """
        if (error := self._stored.error) is not None:
            raise error

    def __enter__(self) -> Self:
        """Store the moment, or find it.

        Raises:
            DeadlineError: It is past; a `TimeoutError`.
            StoreError: The store could not take it.
        """
        self._life.call(self._stored.begin, _nothing)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget the moment if the body ended well, else leave it stored."""
        if self._life.is_running:
            self._life.call(self._stored.finish, is_done=kind is None)


def _nothing() -> None:
    """Do nothing: a plain body cannot be cancelled."""


class AwaitVerbs(Verbs):
    """What waits for time."""

    def sleep(  # noqa: PLR0913  the units people think in
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
        return self._call(
            self._scheduler.sleep,
            key,
            length,
            weeks=weeks,
            days=days,
            hours=hours,
            minutes=minutes,
            seconds=seconds,
            milliseconds=milliseconds,
        )

    def sleep_until(self, key: str, moment: datetime) -> AwaitResult:
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
        return self._call(self._scheduler.sleep_until, key, moment)

    def wait_for_next(self, key: str, schedule: Schedule) -> AwaitResult:
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
        return self._call(self._scheduler.wait_for_next, key, schedule)

    def cancel_await(self, key: str, *, reason: str = "") -> bool:
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
        return self._call(self._scheduler.cancel_await, key, reason=reason)

    def awaits(
        self, *, after: str | None = None, limit: int = 100
    ) -> Page[AwaitSnapshot]:
        """Read the waits whose time has not come, in the order of their keys.

        Args:
            after: The `next` of the page before.
            limit: 1 to 10,000.
        """
        return self._call(self._scheduler.awaits, after=after, limit=limit)

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
    ) -> BlockingDeadline:
        """Limit work by a stored moment: `with scheduler.deadline(key, hours=2) as limit:`.

        A plain body cannot be cancelled: `limit.check()` raises `DeadlineError`, a
        `TimeoutError`, once the moment has come, and `limit.left` says how long it is.

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
        made = self._scheduler.deadline(
            key,
            length,
            until=until,
            weeks=weeks,
            days=days,
            hours=hours,
            minutes=minutes,
            seconds=seconds,
            milliseconds=milliseconds,
        )
        return BlockingDeadline(made.stored, life=self._life)
