"""The stored half of waits: first writer wins, finished with one write.

What must be written when a wait ends is written behind it, many in one step, and tried
again after trouble: nobody's wake-up waits for the store. What others changed meanwhile
(they cancelled a wait) is looked for only once a wait has lasted longer than a hint may
take, so that a short one costs its two writes and nothing else.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._engine.registry import handler_of
from nvent_sched._engine.signals import Signal, into_this_loop
from nvent_sched._model.claims import Stored
from nvent_sched._model.instants import MILLISECOND_US, SECOND_US
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import JobQuery
from nvent_sched._rules.awaiting import (
    AWAIT_HANDLER,
    cancel_reason_of,
    finish,
    new_wait,
)
from nvent_sched.errors import ConflictError, StoreError
from nvent_sched.patterns.waits import End, Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nvent_sched._engine.core import Core
    from nvent_sched._engine.registry import Handler
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched.patterns.waits import Wait

WRITE_BATCH: Final = 500
LOOK_BATCH: Final = 500
"""How many waits are looked at in a pass; of more, each in its turn."""
LOOK_GAP_US: Final = 500 * MILLISECOND_US
"""How long a hint waits at least after the last look."""
ASK_US: Final = 60 * SECOND_US
"""How often the store is asked what time it is, if nothing else asks it."""
TRIES_MAX: Final = 50


async def nobody_waits() -> None:
    """Do nothing: a wait that nobody waits for any more is over with that."""


class WaitRecords:
    """What the store knows of waits; a companion of the engine."""

    name = "await-records"

    def __init__(self, core: Core) -> None:
        self.signal: Signal = Signal()
        self.waits: Waits = Waits(core, on_due=self._note_due)
        self._core = core
        self._due: list[Job] = []
        self._unwanted: list[str] = []
        self._look_us: int | None = None
        self._looked_us = 0
        self._asked_us = core.clock.monotonic_us()
        self._is_listening = False
        self._lock = anyio.Lock()

    def handlers(self) -> Iterable[Handler]:
        """Name what is run when nobody waits any more."""
        yield handler_of(nobody_waits, name=AWAIT_HANDLER, executor=None)

    @property
    def _kept_us(self) -> int:
        return self._core.options.retention.success_us

    async def keep(self, job_id: str, *, at: Instant) -> tuple[Job, bool]:
        """Store when a wait ends, unless that is stored already.

        Returns:
            The wait as it is stored, and whether that was us.

        Raises:
            StoreError: The store could not take it; ask again with the same key.
        """
        core = self._core
        if (known := self.waits.get(job_id)) is not None:
            return known.job, False
        write = new_wait(
            job_id,
            at=at,
            stored_by=core.instance_id,
            now=core.time.now(),
            kept_us=self._kept_us,
        )
        for _ in range(TRIES_MAX):
            (verdict,) = await core.adapter.put_jobs([write], now=core.time.now())
            if isinstance(verdict, Stored):
                return write.job, True
            page = await core.adapter.read_jobs(JobQuery(ids=(job_id,), limit=1))
            if page.items:
                return page.items[0], False
        raise ConflictError(job_id)

    def join(self, job: Job, waiter: Callable[[], None]) -> Wait:
        """Call *waiter* when the time of *job* has come, or it ends otherwise."""
        wait = self.waits.join(job, waiter)
        self._listen()
        return wait

    def _listen(self) -> None:
        """See to it that what others do to waits is noticed."""
        core = self._core
        if not self._is_listening:
            self._is_listening = True
            core.adapter.on_hint(partial(into_this_loop(), self._note_hint))
        if self._look_us is None:
            self._looked_us = core.clock.monotonic_us()
            self._look_us = self._looked_us + core.adapter.traits.hint_delay_us_max
            self.signal.set()

    def _note_hint(self) -> None:
        if self._look_us is not None:
            self._look_us = min(self._look_us, self._looked_us + LOOK_GAP_US)
            self.signal.set()

    def _note_due(self, wait: Wait) -> None:
        self.note_over(wait.job)

    def note_over(self, job: Job) -> None:
        """See to it that a wait is written as finished whose time has come."""
        if job.status is not JobStatus.FINISHED:
            self._due.append(job)
            self.signal.set()

    async def drop(self, job_id: str) -> None:
        """Forget a wait; after trouble with the store later."""
        self._unwanted.append(job_id)
        self.signal.set()
        with suppress(StoreError):
            await self.flush()

    async def flush(self) -> None:
        """Write what has ended.

        Raises:
            StoreError: It could not be written; it still waits.
        """
        core = self._core
        async with self._lock:
            while batch := self._due[:WRITE_BATCH]:
                now = core.time.now()
                writes = [finish(job, now=now, kept_us=self._kept_us) for job in batch]
                # Who is stale was finished, cancelled or forgotten by somebody else.
                await core.adapter.put_jobs(writes, now=now)
                del self._due[: len(batch)]
            while batch_ids := self._unwanted[:WRITE_BATCH]:
                await core.adapter.drop_jobs(batch_ids, now=core.time.now())
                del self._unwanted[: len(batch_ids)]

    async def one_pass(self) -> int | None:
        """Write what has ended, and look for what others changed."""
        await self.flush()
        if not len(self.waits):
            self._look_us = None
            return None
        assert self._look_us is not None
        core = self._core
        now_us = core.clock.monotonic_us()
        if now_us >= self._look_us:
            self._looked_us = now_us
            self._look_us = now_us + core.adapter.traits.hint_delay_us_max
            await self._look(now_us)
        return self._look_us

    async def _look(self, now_us: int) -> None:
        core = self._core
        await self._ask_the_time(now_us)
        ids = self.waits.turn(LOOK_BATCH, before_us=now_us - LOOK_GAP_US)
        if not ids:
            return
        page = await core.adapter.read_jobs(JobQuery(ids=ids, limit=len(ids)))
        found = {job.id: job for job in page.items}
        for job_id in ids:
            job = found.get(job_id)
            if job is None:
                reason = "its record was removed"
                self.waits.end(job_id, End.CANCELLED, reason=reason)
            elif (reason_given := cancel_reason_of(job)) is not None:
                self.waits.end(job_id, End.CANCELLED, reason=reason_given)
            elif job.status is JobStatus.FINISHED:
                self.waits.end(job_id, End.DUE)

    async def _ask_the_time(self, now_us: int) -> None:
        """Learn the store's time now and then; who plans hears of it anyway."""
        core = self._core
        heard_us = max(self._asked_us, core.passed_at_us.get("planner", 0))
        if not core.adapter.traits.has_own_clock or now_us - heard_us < ASK_US:
            return
        answer = await core.adapter.acquire_locks([], now=core.time.now())
        core.time.observe(answer.now, asked_at_us=now_us)
        self._asked_us = now_us
        self.waits.signal.set()

    def close(self) -> None:
        """Do nothing: what is left to write is written by `Patterns.end`."""
