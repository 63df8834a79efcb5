"""The verbs about locks, over the table of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from nvent_sched._model.locks import LockAnswers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from nvent_sched._model.claims import Verdict
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.locks import LockAsk, LockRecord
    from nvent_sched.adapters.memory.tables import Tables


class LockVerbs(ABC):
    """What of an adapter is about locks."""

    @abstractmethod
    def _step(self) -> AbstractAsyncContextManager[Tables]:
        """Have the tables for oneself."""

    @abstractmethod
    def _tell(self, *, is_changed: bool) -> None:
        """Give a hint."""

    async def acquire_locks(
        self, asks: Sequence[LockAsk], *, now: Instant
    ) -> LockAnswers:
        """Give each lock that is free to whoever asks first, and queue the others."""
        async with self._step() as tables:
            tables.locks.sweep(now=now)
            give = partial(tables.locks.acquire, now=now, next_fence=tables.next_fence)
            return LockAnswers(now=now, answers=tuple(map(give, asks)))

    async def renew_locks(
        self, asks: Sequence[LockAsk], *, now: Instant
    ) -> tuple[Verdict, ...]:
        """Extend each hold from now on whose ticket still has the lock."""
        async with self._step() as tables:
            return tuple(tables.locks.renew(ask, now=now) for ask in asks)

    async def release_locks(
        self,
        asks: Sequence[LockAsk],
        *,
        now: Instant,  # noqa: ARG002  no clock
    ) -> None:
        """Give back locks that these tickets have, and places that they take."""
        async with self._step() as tables:
            matters = [tables.locks.release(ask) for ask in asks]
        self._tell(is_changed=any(matters))

    async def read_locks(self, *, now: Instant, limit: int) -> tuple[LockRecord, ...]:
        """List locks that somebody has, those that end first before others."""
        async with self._step() as tables:
            return tables.locks.listed(now=now, limit=limit)
