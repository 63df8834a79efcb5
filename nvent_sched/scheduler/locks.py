"""The verbs about locks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from nvent_sched._model.instants import span_us
from nvent_sched._model.jobs import checked_name
from nvent_sched._model.policies import count_in_range
from nvent_sched._model.queries import PAGE_MAX
from nvent_sched._rules.locking import TTL_US_MIN
from nvent_sched._rules.viewing import lock_view
from nvent_sched.patterns import Lock
from nvent_sched.scheduler.verbs import Verbs

if TYPE_CHECKING:
    from nvent_sched._model.snapshots import LockSnapshot


class LockVerbs(Verbs):
    """What only one may do at a time."""

    def lock(
        self,
        name: str,
        *,
        ttl: timedelta = timedelta(seconds=30),
        wait: timedelta | None = None,
    ) -> Lock:
        """Be the only one: `async with scheduler.lock("import") as lock:`.

        The body is cancelled, and `LockLostError` raised, when the lock cannot be believed
        in any more. Who pauses for longer than *ttl* and does not know it yet is refused
        by whatever compares `lock.fencing_token`: it only grows.

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
        return Lock(
            self._patterned("lock").locks,
            checked_name(name, what="a lock's name"),
            ttl_us=span_us(ttl, name="ttl", least_us=TTL_US_MIN),
            wait_us=None if wait is None else span_us(wait, name="wait"),
        )

    async def locks(self, *, limit: int = 100) -> tuple[LockSnapshot, ...]:
        """Read the locks that somebody has, on all instances; those that end first before.

        Args:
            limit: At most so many, 1 to 10,000.
        """
        count_in_range(limit, name="limit", most=PAGE_MAX)
        held = await self._patterned("locks").locks.held(limit=limit)
        return tuple(map(lock_view, held))
