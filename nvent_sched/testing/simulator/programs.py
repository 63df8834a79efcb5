"""What the program of a host does beside its jobs, and what an onlooker sees of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

import anyio

from nvent_sched._model.instants import MICROSECOND, Instant
from nvent_sched._rules.schedules import Interval
from nvent_sched.testing.simulator.lives import Life
from nvent_sched.testing.simulator.patterns import SUBSCRIBER, Patterns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nvent_sched.scheduler import Scheduler
    from nvent_sched.testing.checker import Begun
    from nvent_sched.testing.simulator.lives import Hearer
    from nvent_sched.testing.simulator.patterns import (
        Fired,
        Sign,
        SimulatedTrigger,
        Tried,
        Woken,
    )
    from nvent_sched.testing.simulator.store import SimulatedStore
    from nvent_sched.testing.simulator.timeline import HostClock


class Program:
    """What one host's code does, in every life of its process.

    Args:
        host: The name of the host.
        clock: Of the host.
        patterns: What it does.
        seed: Of the simulation.

    Attributes:
        held: Each time it had a lock, in order.
        woken: Each wait that ended.
        tried: Each try of work with a deadline.
        fired: Each fire that was answered.
        signs: Each sign of life of watched work.
        done: What it need not do again.
        thawed_at: When the host came back from pauses.
    """

    def __init__(
        self,
        host: str,
        store: SimulatedStore,
        clock: HostClock,
        *,
        patterns: Patterns,
        seed: int,
    ) -> None:
        self.host: str = host
        self.store: SimulatedStore = store
        self.clock: HostClock = clock
        self._patterns, self._seed = patterns, seed
        self._scope: anyio.CancelScope | None = None
        self._is_over = False
        self.done: set[str] = set()
        self.held: list[Begun] = []
        self.woken: list[Woken] = []
        self.tried: list[Tried] = []
        self.fired: list[Fired] = []
        self.signs: list[Sign] = []
        self.thawed_at: set[Instant] = set()

    @property
    def waits_for(self) -> tuple[str, ...]:
        """What it still waits for, or has still to do."""
        keys = [each.key for each in self._patterns.waits]
        keys += [each.key for each in self._patterns.deadlines]
        keys += [each.job_id for each in self._patterns.triggers]
        return tuple(key for key in keys if key not in self.done)

    def declare(self, scheduler: Scheduler, hear: Hearer) -> None:
        """Declare triggers, as code does before the start, and who hears them."""
        for trigger in self._patterns.triggers:
            schedule = None
            if trigger.every_us is not None:
                schedule = Interval(trigger.every_us * MICROSECOND)
            scheduler.trigger(trigger.name, schedule)
            if self._is_heard(trigger):
                scheduler.on(trigger.name, id=SUBSCRIBER)(hear)

    @asynccontextmanager
    async def running(
        self, scheduler: Scheduler, hear: Hearer, *, is_dead: Callable[[], bool]
    ) -> AsyncIterator[None]:
        """Run it for one life of the process."""
        if self._is_over or self._patterns.is_none:
            yield
            return
        life = Life(self, scheduler, is_dead)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._go_on, life, hear)
            yield
            tasks.cancel_scope.cancel()

    async def _go_on(self, life: Life, hear: Hearer) -> None:
        async with anyio.create_task_group() as tasks:
            self._scope = tasks.cancel_scope
            chance = Random(f"{self._seed} {life.name}")
            for lock in self._patterns.locks:
                tasks.start_soon(life.want, lock, chance)
            for wait in self._patterns.waits:
                tasks.start_soon(life.wait, wait, chance)
            for deadline in self._patterns.deadlines:
                tasks.start_soon(life.work, deadline, chance)
            for dog in self._patterns.watchdogs:
                tasks.start_soon(life.watch, dog)
            for trigger in self._patterns.triggers:
                tasks.start_soon(life.fire, trigger, chance)
                if not self._is_heard(trigger):
                    tasks.start_soon(life.subscribe, trigger, hear)

    def _is_heard(self, trigger: SimulatedTrigger) -> bool:
        elapsed_us = self.clock.monotonic_us()
        return trigger.heard_us is None or trigger.heard_us <= elapsed_us

    def end(self) -> None:
        """Do nothing more, in this life and in all others."""
        self._is_over = True
        if self._scope is not None:
            self._scope.cancel()

    def now(self) -> Instant:
        """Say the time by the clock that the store goes by."""
        has_own = self.store.traits.has_own_clock
        return self.store.now() if has_own else self.clock.now()
