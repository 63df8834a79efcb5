"""The verbs about locks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from nvent_sched.blocking.verbs import Verbs
from nvent_sched.errors import UsageError
from nvent_sched.patterns import LockBase

if TYPE_CHECKING:
    from types import TracebackType

    from nvent_sched._model.snapshots import LockSnapshot
    from nvent_sched.blocking.life import Life
    from nvent_sched.patterns import Lock


class BlockingLock(LockBase):
    """A lock that at most one holder has at a time, on all instances."""

    def __init__(self, lock: Lock, *, life: Life) -> None:
        super().__init__(lock.name)
        self._lock, self._life = lock, life
        self._is_entered = False

    def __enter__(self) -> Self:
        """Get the lock.

        Raises:
            LockTimeoutError: Somebody else had it all the time; a `TimeoutError`.
            NotRunningError: The scheduler stopped.
            StoreError: The store could not be asked.
        """
        if self._is_entered:
            msg = f"lock {self.name!r} is entered already; make another one"
            raise UsageError(msg)
        self._hold = self._life.call(self._lock.acquire)
        self._is_entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lock back.

        Raises:
            LockLostError: It was lost before the body ended.
        """
        lost, self._is_entered = self._entered().error, False
        if self._life.is_running:
            self._life.call(self._lock.release, self._entered())
        if lost is not None and kind is None:
            raise lost


class LockVerbs(Verbs):
    """What only one may do at a time."""

    def lock(
        self,
        name: str,
        *,
        ttl: timedelta = timedelta(seconds=30),
        wait: timedelta | None = None,
    ) -> BlockingLock:
        """Be the only one: `with scheduler.lock("import") as lock:`.

        A plain body cannot be cancelled: `lock.check()` raises `LockLostError` when the
        lock cannot be believed in any more, `lock.is_lost` says so, and so does the end of
        the body. Pass `lock.fencing_token`, which only grows, to whatever must refuse a
        holder that does not know it yet.

        Who asked first gets it first, on whichever instance. It is renewed for as long as
        it is held, and ends by itself after *ttl* if this process dies. It cannot be had
        twice at a time: not even by the same task.

        Args:
            name: What the lock is known by, everywhere on this store.
            ttl: For how long it is given out; renewed at half. 100 ms to 100 years. A
                holder that cannot renew must stop within nine tenths of it.
            wait: How long to wait for it; None for ever, no time at all to try once.

        Raises:
            UsageError: The name or a length is not allowed.
        """
        made = self._scheduler.lock(name, ttl=ttl, wait=wait)
        return BlockingLock(made, life=self._life)

    def locks(self, *, limit: int = 100) -> tuple[LockSnapshot, ...]:
        """Read the locks that somebody has, on all instances; those that end first before.

        Args:
            limit: At most so many, 1 to 10,000.
        """
        return self._call(self._scheduler.locks, limit=limit)
