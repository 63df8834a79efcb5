"""The verbs about locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nvent_sched._model.instants import Instant
from nvent_sched._model.locks import (
    LockAnswer,
    LockAnswers,
    LockBusy,
    LockGranted,
    LockRecord,
)
from nvent_sched.adapters.redis.server import RedisServer, parts_of
from nvent_sched.adapters.redis.writing import verdicts_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.claims import Verdict
    from nvent_sched._model.locks import LockAsk


class LockVerbs(RedisServer):
    """What of the adapter is about locks."""

    async def acquire_locks(
        self, asks: Sequence[LockAsk], *, now: Instant
    ) -> LockAnswers:
        """Give each lock that is free to whoever asks first, and queue the others."""
        rows = [
            [ask.name, ask.ticket, ask.holder, ask.ttl_us, ask.place_us] for ask in asks
        ]
        parts = list(parts_of(rows, head=[self._time(now)]))
        replies = await self._send("acquire_locks", parts, is_told=False)
        answers = [_answer_from(row) for _, *rows in replies for row in rows]
        return LockAnswers(now=Instant(int(replies[-1][0])), answers=tuple(answers))

    async def renew_locks(
        self, asks: Sequence[LockAsk], *, now: Instant
    ) -> tuple[Verdict, ...]:
        """Extend each hold from now on whose ticket still has the lock."""
        rows = [[ask.name, ask.ticket, ask.ttl_us] for ask in asks]
        parts = list(parts_of(rows, head=[self._time(now)]))
        replies = await self._send("renew_locks", parts, is_told=False)
        return tuple(verdicts_from("".join(replies)))

    async def release_locks(
        self,
        asks: Sequence[LockAsk],
        *,
        now: Instant,  # noqa: ARG002  nothing here depends on the time
    ) -> None:
        """Give back locks that these tickets have, and places that they take."""
        rows = [[ask.name, ask.ticket] for ask in asks]
        parts = list(parts_of(rows, head=[self._caller]))
        await self._send("release_locks", parts, is_told=False)

    async def read_locks(self, *, now: Instant, limit: int) -> tuple[LockRecord, ...]:
        """List locks that somebody has, those that end first before others."""
        return tuple(
            LockRecord(
                name=name,
                holder=holder,
                fence=int(fence),
                since=Instant(int(since)),
                until=Instant(int(until)),
                waiters=waiters,
            )
            for name, holder, fence, since, until, waiters in await self._ask(
                "read_locks", self._time(now), limit
            )
        )


def _answer_from(row: Sequence[Any]) -> LockAnswer:
    if len(row) == 2:  # noqa: PLR2004  granted: the token, and since when
        return LockGranted(fence=int(row[0]), since=Instant(int(row[1])))
    holder, since, until, ahead = row
    return LockBusy(
        holder=holder,
        since=Instant(int(since)) if since else None,
        until=Instant(int(until)),
        ahead=ahead,
    )
