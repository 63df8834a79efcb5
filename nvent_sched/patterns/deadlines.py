"""Work that must be finished by a stored moment, also after a restart.

The moment is kept as a wait is. A clean end forgets it. Whatever else ends the work (an
error, a crash, a stop) leaves it, so that the next try has only the rest.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

import anyio

from nvent_sched._model.instants import moment_from
from nvent_sched._model.roles import Role, id_of
from nvent_sched._rules.awaiting import end_of, is_pending
from nvent_sched.errors import DeadlineError, NotRunningError, UsageError
from nvent_sched.patterns.waits import End

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

    from nvent_sched._engine.core import Core
    from nvent_sched._model.instants import Instant
    from nvent_sched.patterns.records import WaitRecords
    from nvent_sched.patterns.waits import Wait


class StoredDeadline:
    """One key's moment, and who wants to be told when it has come.

    Args:
        core: The instance.
        records: Where it is kept.
        key: Of the deadline.
        at: When, unless that is stored already; given the store's time.
    """

    def __init__(
        self,
        core: Core,
        records: WaitRecords,
        key: str,
        *,
        at: Callable[[Instant], Instant],
    ) -> None:
        self._core, self._records, self._at = core, records, at
        self._job_id = id_of(Role.DEADLINE, key)
        self._wait: Wait | None = None
        self._tell: Callable[[], None] | None = None
        self.key = key

    @property
    def moment(self) -> Instant:
        """When it is, by the store's time.

        Raises:
            UsageError: It was not entered.
        """
        if self._wait is None:
            msg = f"the deadline {self.key!r} is known once it was entered"
            raise UsageError(msg)
        return self._wait.at

    @property
    def left_us(self) -> int:
        """How long it is until then; 0 when it has come."""
        return max(0, self.moment - self._core.time.now())

    @property
    def error(self) -> DeadlineError | NotRunningError | None:
        """Say what is wrong with going on; None if nothing is."""
        wait = self._wait
        if wait is None or wait.end is End.CANCELLED:
            return None
        if wait.end is End.STOPPED:
            return NotRunningError("deadline")
        return self._missed() if wait.end is End.DUE or not self.left_us else None

    def _missed(self) -> DeadlineError:
        at = moment_from(self.moment).isoformat(timespec="seconds")
        return DeadlineError(key=self.key, at=at)

    async def begin(self, tell: Callable[[], None]) -> None:
        """Store the moment, or find it; *tell* when it has come.

        Raises:
            DeadlineError: It is past.
            NotRunningError: The scheduler stopped.
            StoreError: The store could not take it.
        """
        if self._tell is not None:
            msg = f"the deadline {self.key!r} was entered already; make another one"
            raise UsageError(msg)
        core, records = self._core, self._records
        job, _ = await records.keep(self._job_id, at=self._at(core.time.now()))
        if not is_pending(job, now=core.time.now()):
            records.note_over(job)
            at = moment_from(end_of(job)).isoformat(timespec="seconds")
            raise DeadlineError(key=self.key, at=at)
        if records.waits.is_closed:
            verb = "deadline"
            raise NotRunningError(verb)
        self._tell = tell
        self._wait = records.join(job, self._note_end)

    def _note_end(self) -> None:
        # One that somebody else finished, and so forgot, is no limit any more.
        if self._wait is not None and self._wait.end is not End.CANCELLED:
            assert self._tell is not None
            self._tell()

    async def finish(self, *, is_done: bool) -> None:
        """Watch it no more; forget it if the work is done."""
        assert self._wait is not None
        self._records.waits.leave(self._wait, self._note_end)
        if is_done:
            await self._records.drop(self._job_id)


class Deadline:
    """A moment by which the body must have ended; it is cancelled then.

    Attributes:
        key: Of the deadline.
        stored: What is known of it without the body.
    """

    def __init__(self, stored: StoredDeadline) -> None:
        self.stored = stored
        self._scope: anyio.CancelScope | None = None
        self.key: str = stored.key

    @property
    def at(self) -> datetime:
        """When it is, in UTC.

        Raises:
            UsageError: It was not entered.
        """
        return moment_from(self.stored.moment)

    @property
    def left(self) -> timedelta:
        """How long it is until then; nothing when it has come.

        Raises:
            UsageError: It was not entered.
        """
        return timedelta(microseconds=self.stored.left_us)

    async def __aenter__(self) -> Self:
        """Store the moment, or find it.

        Raises:
            DeadlineError: It is past; a `TimeoutError`.
            StoreError: The store could not take it.
        """
        scope = anyio.CancelScope()
        await self.stored.begin(scope.cancel)
        self._scope = scope
        scope.__enter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Forget the moment if the body ended well, else leave it stored.

        Raises:
            DeadlineError: It came before the body ended; a `TimeoutError`.
        """
        scope, self._scope = self._scope, None
        assert scope is not None
        is_swallowed = bool(scope.__exit__(kind, error, trace))
        wrong = self.stored.error
        await self.stored.finish(is_done=kind is None)
        if is_swallowed and wrong is not None:
            raise wrong
        return is_swallowed
