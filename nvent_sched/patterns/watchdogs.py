"""The watchdogs of one instance: signs of life are remembered, and stored now and then.

A sign only marks memory. One loop stores the newest signs of all watchdogs together, each
no more often than every quarter of its time-out, and always before the stored deadline
passes: a thousand signs a second are a few writes. Times are monotonic here and turned
into the store's time when they are written, so a clock that was set changes nothing but
what has to be written again.

A deadline that passes is an occurrence like any other: whichever instance is alive plans
it, once. If the sign that should have moved it is still here (the store was away, the
clock jumped, the loop was blocked), this instance's planner is told to spare it; if
another was faster, the next sign finds the watchdog stalled and starts it anew.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._engine.registry import Handler, handler_of
from nvent_sched._engine.signals import Signal, from_any_thread
from nvent_sched._logs import logger_of
from nvent_sched.errors import StoreError
from nvent_sched.patterns.orphans import raise_orphans
from nvent_sched.patterns.runwatches import QUIET, RunWatches
from nvent_sched.patterns.signs import SignStore
from nvent_sched.patterns.watches import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvent_sched._engine.claims import Claim
    from nvent_sched._engine.core import Core
    from nvent_sched._model.claims import DueJob
    from nvent_sched._model.jobs import Job, JobDefinition

log: Final = logger_of(__name__)
WOKEN: Final = 0


async def note_stall(stall: dict[str, Any]) -> None:
    """Log an alarm that has no handler of its own."""
    log.warning("work is stalled: %s", stall["reason"], extra={"key": stall["key"]})


class Watchdogs:
    """The companion that takes signs of life, and a follower of this instance's runs.

    Attributes:
        name: Of its loop.
        signal: Wakes it.
        signs: What is watched, and how it is stored.
    """

    def __init__(self, core: Core) -> None:
        self.name: str = "watchdogs"
        self.signal: Signal = Signal()
        self.signs: SignStore = SignStore(core)
        self._core = core
        self._runs = RunWatches(self)
        self._thread = threading.get_ident()
        self._wake_from_thread = from_any_thread(self.signal)
        self._ending: set[str] = set()
        self._dead: set[str] = set()
        self._next_us: int | None = None
        self._drift_us: int | None = None
        core.followers.append(self)

    def handlers(self) -> Iterable[Handler]:
        """Name what alarms without a handler of their own call."""
        yield handler_of(note_stall, name=QUIET, executor=None)

    def close(self) -> None:
        """Let go of nobody: what is remembered is stored by `flush`."""

    async def flush(self) -> None:
        """Store the newest signs, and the ends that the store could not take before.

        Raises:
            StoreError: It still cannot.
        """
        await self._end_waiting()
        news = [each for each in self.signs.listed() if each.has_news]
        await self.signs.store([each for each in news if each.job is not None])

    def beat(self, job_id: str) -> None:
        """Take a sign of life; from any thread, without waiting."""
        self.take_sign(self.signs.watches.get(job_id) or Watch(job_id))

    def take_sign(self, watch: Watch) -> None:
        """Remember a sign of what is watched here, or is from now on."""
        watch.beat_us = self._core.clock.monotonic_us()
        # The loop may have forgotten it since the caller looked.
        self.signs.watches[watch.job_id] = watch
        next_us = self._next_us
        if next_us is None or watch.ripe_us < next_us:
            self._wake()

    def _wake(self) -> None:
        self._next_us = WOKEN
        if threading.get_ident() == self._thread:
            self.signal.set()
        else:
            self._wake_from_thread()

    async def start(self, definition: JobDefinition) -> Job:
        """Begin to watch, or go on with what was watched under the key.

        Raises:
            StoreError: It could not be stored.
            ConflictError: It changed each time, 50 times over.
        """
        self._ending.discard(definition.id)
        return await self.signs.start(definition)

    async def finish(self, job_id: str) -> bool:
        """End what was watched; say whether it was.

        If the store cannot take it, it is ended as soon as the store can.
        """
        self.signs.watches.pop(job_id, None)
        try:
            return bool(await self.signs.end([job_id]))
        except StoreError as error:
            log.warning("the end of a watchdog waits for the store: %s", error)
            self._end_later(job_id)
            return True

    def end_watch(self, watch: Watch) -> None:
        """End what was watched, with the next pass if anything of it is stored."""
        self.signs.watches.pop(watch.job_id, None)
        if watch.is_sent:
            self._end_later(watch.job_id)

    def _end_later(self, job_id: str) -> None:
        self._ending.add(job_id)
        self._wake()

    def run_began(self, claim: Claim) -> None:
        """Watch a run whose job says how long it may be silent."""
        if claim.policies.stall_after_us is not None:
            self._runs.begin(claim, now_us=self._core.clock.monotonic_us())

    def run_spoke(self, run_id: str) -> None:
        """Take a sign of life of a run; from any thread."""
        self._runs.take_sign(run_id)

    def run_ended(self, claim: Claim) -> None:
        """End the watch over a run."""
        self._runs.end(claim)

    def instances_died(self, instance_ids: Sequence[str]) -> None:
        """Raise the alarm for what they were at, soon."""
        self._dead.update(instance_ids)
        self._wake()

    async def one_pass(self) -> int | None:
        """Store what is to be stored; say when there will be more."""
        self._next_us = None
        await self.raise_for_the_dead()
        await self._end_waiting()
        now_us = self._core.clock.monotonic_us()
        is_jump = self._is_jump()
        await self.signs.store(self._batch(now_us, is_jump=is_jump))
        if is_jump:
            self._drift_us = self._core.time.drift_us()
            self._core.planner_signal.set()
        self._forget_silent(now_us)
        ripe = [each.ripe_us for each in self.signs.listed() if each.has_news]
        if self._next_us == WOKEN:  # a sign came while we wrote
            return now_us
        self._next_us = min(ripe, default=None)
        return self._next_us

    async def _end_waiting(self) -> None:
        ending = tuple(self._ending)
        if ending:
            await self.signs.end(ending)
            self._ending.difference_update(ending)

    def _is_jump(self) -> bool:
        if self._drift_us is None:
            self._drift_us = self._core.time.drift_us()
        return self._core.time.was_set_since(self._drift_us)

    def _batch(self, now_us: int, *, is_jump: bool) -> list[Watch]:
        """Choose whose signs are stored: after a jump those of all that is alive."""
        listed = self.signs.listed()
        if is_jump:
            return [
                each
                for each in listed
                if each.has_news or (each.job is not None and each.is_alive(now_us))
            ]
        news = [each for each in listed if each.has_news]
        if not any(each.ripe_us <= now_us for each in news):
            return []
        return [each for each in news if each.nearly_ripe_us <= now_us]

    def _forget_silent(self, now_us: int) -> None:
        """Forget watches without news: a sign, if one comes, reads them back."""
        for watch in self.signs.listed():
            is_over = not watch.has_news and not watch.is_alive(now_us)
            if is_over and watch.run_id is None:
                self.signs.watches.pop(watch.job_id, None)

    async def spare(self, due: Sequence[DueJob]) -> frozenset[str]:
        """Move the deadlines that passed although a sign of life is here."""
        if not self.signs.watches:
            return frozenset()
        now_us = self._core.clock.monotonic_us()
        alive: list[Watch] = []
        for facts in due:
            watch = self.signs.watches.get(facts.job.id)
            if watch is None or watch.is_unknown or not watch.is_alive(now_us):
                continue
            if watch.job is None or facts.job.version == watch.job.version:
                alive.append(watch)
        if alive:
            await self.signs.store(alive)
            self._core.planner_signal.set()
        return frozenset(each.job_id for each in alive)

    async def raise_for_the_dead(self) -> int:
        """Raise the alarm for work whose instance died; say for how many.

        Raises:
            StoreError: It could not be; the next pass tries again.
        """
        if not self._dead:
            return 0
        dead = frozenset(self._dead)
        raised = await raise_orphans(self._core, dead=dead)
        self._dead -= dead
        return raised
