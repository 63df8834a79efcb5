"""Signs of life on their way to the store: many in one step, by compare-and-set.

The version that a watchdog was stored with is known here, so a sign costs no read. When
somebody else wrote it meanwhile (its alarm was raised, it was started elsewhere, it has
ended), the answer is `Stale`: then it is read, and the sign counts from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._logs import logger_of
from nvent_sched._model.claims import JobWrite, Stored
from nvent_sched._model.events import EventKind
from nvent_sched._model.instants import Instant
from nvent_sched._model.queries import JobQuery
from nvent_sched._model.watchdogs import WatchState
from nvent_sched._rules.watching import (
    alarm_of,
    end_of_work,
    sign_of_life,
    state_of,
)
from nvent_sched.errors import ConflictError
from nvent_sched.patterns.watches import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._engine.core import Core
    from nvent_sched._model.jobs import Job, JobDefinition

log: Final = logger_of(__name__)
WRITE_BATCH: Final = 1_000
TRIES_MAX: Final = 50


class SignStore:
    """What is watched in one instance, and how it is stored.

    Attributes:
        watches: By the id of the job that keeps each.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = anyio.Lock()
        self.watches: dict[str, Watch] = {}

    def listed(self) -> list[Watch]:
        """List all that is watched; other threads may add to it meanwhile."""
        return list(self.watches.values())

    async def store(self, batch: Sequence[Watch]) -> None:
        """Write the newest sign of each, whether or not it is news.

        Raises:
            StoreError: They could not be written; they are remembered.
        """
        for start in range(0, len(batch), WRITE_BATCH):
            pending = batch[start : start + WRITE_BATCH]
            async with self._lock:
                for _ in range(TRIES_MAX):
                    pending = await self._store_once(pending)
                    if not pending:
                        break

    async def _store_once(self, batch: Sequence[Watch]) -> list[Watch]:
        """Write signs of life; give back those that others changed meanwhile."""
        await self._look_up([each for each in batch if each.is_unknown])
        pending = [each for each in batch if self._is_watched(each)]
        if not pending:
            return []
        core = self._core
        now, now_us = core.time.now(), core.clock.monotonic_us()
        signs = [each.beat_us for each in pending]
        writes = [
            sign_of_life(
                each.known,
                existing=each.job,
                at=Instant(now - (now_us - sign)),
                now=now,
            )
            for each, sign in zip(pending, signs, strict=True)
        ]
        for watch in pending:
            watch.is_sent = True
        verdicts = await core.adapter.put_jobs(writes, now=now)
        stale: list[Watch] = []
        for watch, sign, write, verdict in zip(
            pending, signs, writes, verdicts, strict=True
        ):
            if not isinstance(verdict, Stored):
                watch.forget_stored()
                stale.append(watch)
                continue
            self._tell_recovered(watch.job, detail="it gave a sign of life")
            watch.note_stored(write.job, sign_us=sign, now_us=now_us)
        return stale

    def _is_watched(self, watch: Watch) -> bool:
        is_ours = self.watches.get(watch.job_id) is watch
        return is_ours and not watch.is_unknown

    async def _look_up(self, unknown: Sequence[Watch]) -> None:
        """Read what is not known; forget what has ended elsewhere."""
        if not unknown:
            return
        stored = await self._read([each.job_id for each in unknown])
        for watch in unknown:
            job = stored.get(watch.job_id)
            if job is None or state_of(job) is WatchState.ENDED:
                self.watches.pop(watch.job_id, None)
            else:
                watch.job = job

    async def _read(self, job_ids: Sequence[str]) -> dict[str, Job]:
        query = JobQuery(ids=tuple(job_ids), limit=len(job_ids))
        page = await self._core.adapter.read_jobs(query)
        return {job.id: job for job in page.items}

    def _tell_recovered(self, job: Job | None, *, detail: str) -> None:
        if job is None or state_of(job) is not WatchState.STALLED:
            return
        alarm = alarm_of(job)
        self._core.tell(
            EventKind.RECOVERED,
            job_id=str(alarm.get("job_id", job.id)),
            run_id=alarm.get("run_id"),
            detail=detail,
        )
        log.info("work recovered: %s", detail, extra={"key": alarm["key"]})

    async def start(
        self, definition: JobDefinition, *, at: Instant | None = None
    ) -> Job:
        """Begin to watch, or go on with what was watched under the key.

        Args:
            definition: The watchdog.
            at: The sign of life to count from; without one now, and further signs
                are expected here.

        Raises:
            StoreError: It could not be stored.
            ConflictError: It changed each time, 50 times over.
        """
        core, existing = self._core, None
        async with self._lock:
            for _ in range(TRIES_MAX):
                now, now_us = core.time.now(), core.clock.monotonic_us()
                sign = now if at is None else at
                write = sign_of_life(definition, existing=existing, at=sign, now=now)
                (verdict,) = await core.adapter.put_jobs([write], now=now)
                if isinstance(verdict, Stored):
                    self._tell_recovered(existing, detail="it was started again")
                    if at is None:
                        watch = Watch(definition.id, beat_us=now_us)
                        watch.note_stored(write.job, sign_us=now_us, now_us=now_us)
                        self.watches[definition.id] = watch
                    core.planner_signal.set()
                    return write.job
                existing = (await self._read([definition.id])).get(definition.id)
        raise ConflictError(definition.id)

    async def end(self, job_ids: Sequence[str]) -> int:
        """Forget watchdogs, or keep them for their alarms; say how many there were.

        Raises:
            StoreError: Not all could be ended.
        """
        ended, left = 0, list(job_ids)
        async with self._lock:
            for _ in range(TRIES_MAX):
                if not left:
                    break
                stored = await self._read(left)
                left = await self._end_once([*stored.values()])
                for job_id in stored.keys() - set(left):
                    if state_of(stored[job_id]) is not WatchState.ENDED:
                        self._tell_recovered(stored[job_id], detail="it ended")
                        ended += 1
        return ended

    async def _end_once(self, jobs: Sequence[Job]) -> list[str]:
        """End watchdogs as they were read; say which others changed meanwhile."""
        core, now = self._core, self._core.time.now()
        kept: list[JobWrite] = []
        forgotten: list[str] = []
        for job in jobs:
            if state_of(job) is WatchState.ENDED:
                continue
            write = end_of_work(job, retention=core.options.retention, now=now)
            if write is None:
                forgotten.append(job.id)
            else:
                kept.append(write)
        if forgotten:
            await core.adapter.drop_jobs(forgotten, now=now)
        verdicts = await core.adapter.put_jobs(kept, now=now) if kept else ()
        return [
            write.job.id
            for write, verdict in zip(kept, verdicts, strict=True)
            if not isinstance(verdict, Stored)
        ]
