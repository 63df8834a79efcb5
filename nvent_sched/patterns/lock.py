"""A lock as a context: the body is cancelled when it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import anyio

from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from nvent_sched.patterns.holds import Hold
    from nvent_sched.patterns.locks import Locks


class LockBase:
    """What is known of a lock while it is held.

    Attributes:
        name: Of the lock.
    """

    _hold: Hold | None = None

    def __init__(self, name: str) -> None:
        self.name = name

    def _entered(self) -> Hold:
        if self._hold is None:
            msg = f"lock {self.name!r} was not entered: `with scheduler.lock(...) as lock`"
            raise UsageError(msg)
        return self._hold

    @property
    def fencing_token(self) -> int:
        """Grows with every holder: pass it on to whatever must refuse a stale one.

        Raises:
            UsageError: It was not entered.
        """
        return self._entered().fence

    @property
    def is_lost(self) -> bool:
        """Whether it is not ours any more. From any thread.

        Raises:
            UsageError: It was not entered.
        """
        return self._entered().error is not None

    def check(self) -> None:
        """Stop here if it is lost; for loops that await nothing. From any thread.

        Raises:
            LockLostError: It is.
            UsageError: It was not entered.
        """
        if (error := self._entered().error) is not None:
            raise error


class Lock(LockBase):
    """A lock that at most one holder has at a time, on all instances."""

    def __init__(
        self, locks: Locks, name: str, *, ttl_us: int, wait_us: int | None
    ) -> None:
        super().__init__(name)
        self._locks, self._ttl_us, self._wait_us = locks, ttl_us, wait_us
        self._scope: anyio.CancelScope | None = None

    async def acquire(self) -> Hold:
        """Get the lock, for who has no body that could be cancelled."""
        return await self._locks.acquire(
            self.name, ttl_us=self._ttl_us, wait_us=self._wait_us
        )

    async def release(self, hold: Hold) -> None:
        """Give back what `acquire` got."""
        await self._locks.release(hold)

    async def __aenter__(self) -> Self:
        """Get the lock.

        Raises:
            LockTimeoutError: Somebody else had it all the time; a `TimeoutError`.
            NotRunningError: The scheduler stopped.
            StoreError: The store could not be asked.
        """
        if self._scope is not None:
            msg = f"lock {self.name!r} is entered already; make another one"
            raise UsageError(msg)
        self._scope = scope = anyio.CancelScope()
        try:
            hold = await self.acquire()
        except BaseException:
            self._scope = None
            raise
        self._hold, hold.on_lost = hold, scope.cancel
        if hold.lost is not None:
            scope.cancel()
        scope.__enter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Give the lock back.

        Raises:
            LockLostError: It was lost before the body ended.
        """
        hold, scope, self._scope = self._entered(), self._scope, None
        assert scope is not None
        is_swallowed = bool(scope.__exit__(kind, error, trace))
        lost = hold.error
        await self.release(hold)
        if lost is not None and (is_swallowed or kind is None):
            raise lost
        return is_swallowed
