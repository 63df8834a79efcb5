"""What the program of a host does beside its jobs, and what an onlooker sees of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._model.instants import MICROSECOND, SECOND_US, Instant, instant_from
from nvent_sched._rules.schedules import Interval
from nvent_sched.errors import AwaitCancelledError, DeadlineError, SchedError
from nvent_sched.testing.checker import Begun
from nvent_sched.testing.simulator.patterns import (
    SUBSCRIBER,
    Fired,
    Patterns,
    Tried,
    Woken,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from nvent_sched.scheduler import Scheduler
    from nvent_sched.testing.simulator.patterns import (
        SimulatedDeadline,
        SimulatedLock,
        SimulatedTrigger,
        SimulatedWait,
    )
    from nvent_sched.testing.simulator.store import SimulatedStore
    from nvent_sched.testing.simulator.timeline import HostClock

    Hearer = Callable[..., Awaitable[None]]

AGAIN_US: Final = SECOND_US
"""After how long a program tries again what went wrong."""
STEP_US: Final = SECOND_US // 2
FIRES_EVERY_US: Final = 2 * SECOND_US


class WorkError(Exception):
    """What simulated work raises when it shall fail."""


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
        self._host, self._store, self._clock = host, store, clock
        self._patterns, self._seed = patterns, seed
        self._scope: anyio.CancelScope | None = None
        self._is_over = False
        self._done: set[str] = set()
        self.held: list[Begun] = []
        self.woken: list[Woken] = []
        self.tried: list[Tried] = []
        self.fired: list[Fired] = []
        self.thawed_at: set[Instant] = set()

    @property
    def waits_for(self) -> tuple[str, ...]:
        """What it still waits for, or has still to do."""
        keys = [each.key for each in self._patterns.waits]
        keys += [each.key for each in self._patterns.deadlines]
        keys += [each.job_id for each in self._patterns.triggers]
        return tuple(key for key in keys if key not in self._done)

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
        life = _Life(self, scheduler, is_dead)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._go_on, life, hear)
            yield
            tasks.cancel_scope.cancel()

    async def _go_on(self, life: _Life, hear: Hearer) -> None:
        async with anyio.create_task_group() as tasks:
            self._scope = tasks.cancel_scope
            chance = Random(f"{self._seed} {life.name}")
            for lock in self._patterns.locks:
                tasks.start_soon(life.want, lock, chance)
            for wait in self._patterns.waits:
                tasks.start_soon(life.wait, wait, chance)
            for deadline in self._patterns.deadlines:
                tasks.start_soon(life.work, deadline, chance)
            for trigger in self._patterns.triggers:
                tasks.start_soon(life.fire, trigger, chance)
                if not self._is_heard(trigger):
                    tasks.start_soon(life.subscribe, trigger, hear)

    def _is_heard(self, trigger: SimulatedTrigger) -> bool:
        elapsed_us = self._clock.monotonic_us()
        return trigger.heard_us is None or trigger.heard_us <= elapsed_us

    def end(self) -> None:
        """Do nothing more, in this life and in all others."""
        self._is_over = True
        if self._scope is not None:
            self._scope.cancel()

    def now(self) -> Instant:
        """Say the time by the clock that the store goes by."""
        has_own = self._store.traits.has_own_clock
        return self._store.now() if has_own else self._clock.now()


class _Life:
    """A program in one life of its process."""

    def __init__(
        self, program: Program, scheduler: Scheduler, is_dead: Callable[[], bool]
    ) -> None:
        self._program, self._scheduler, self._is_dead = program, scheduler, is_dead
        self._clock, self._store = program._clock, program._store
        self.name = scheduler.instance_id

    async def _tried(self, what: str, deed: Callable[[], Awaitable[None]]) -> bool:
        """Do something; say whether it went well, and write down if not."""
        try:
            await deed()
        except (SchedError, WorkError) as error:
            self._store.log.append(f"{self.name} {what}: {type(error).__name__}")
            return isinstance(error, AwaitCancelledError | DeadlineError)
        return True

    async def _until(self, at_us: int) -> None:
        await self._clock.sleep(max(0, at_us - self._clock.monotonic_us()))

    async def want(self, lock: SimulatedLock, chance: Random) -> None:
        """Have a lock again and again."""
        while True:
            await self._clock.sleep(chance.randrange(lock.gap_us))
            await self._tried(lock.name, lambda: self._have(lock, chance))

    async def _have(self, lock: SimulatedLock, chance: Random) -> None:
        wait = None if lock.wait_us is None else lock.wait_us * MICROSECOND
        ttl = lock.ttl_us * MICROSECOND
        async with self._scheduler.lock(lock.name, ttl=ttl, wait=wait) as held:
            now = self._store.now()
            begun = Begun(
                job_id=f"lock {lock.name}",
                run_id=self.name,
                fence=held.fencing_token,
                instance=self.name,
                began_at=now,
                acts=[now],
            )
            self._program.held.append(begun)
            self._store.log.append(
                f"{self._clock.monotonic_us()} {self.name} has {lock.name} "
                f"#{begun.fence}"
            )
            left_us = chance.randrange(lock.length_us + 1)
            while left_us > 0:
                await self._clock.sleep(min(left_us, STEP_US))
                left_us -= STEP_US
                if not self._is_dead():
                    begun.acts.append(self._store.now())

    async def wait(self, wait: SimulatedWait, chance: Random) -> None:
        """Wait for a key, until that went well."""
        await self._until(wait.from_us + chance.randrange(SECOND_US))
        while wait.key not in self._program._done:
            if not await self._tried(wait.key, lambda: self._sleep(wait)):
                await self._clock.sleep(AGAIN_US)

    async def _sleep(self, wait: SimulatedWait) -> None:
        program, at, asked_at = self._program, None, self._program.now()
        try:
            length = wait.length_us * MICROSECOND
            result = await self._scheduler.sleep(wait.key, length)
            at = instant_from(result.scheduled)
        except SchedError as error:
            if not isinstance(error, AwaitCancelledError):
                raise
        if not self._is_dead():
            ended = "cancelled" if at is None else "over"
            self._store.log.append(f"{self.name} {wait.key} is {ended}")
            program._done.add(wait.key)
            program.woken.append(
                Woken(
                    key=wait.key,
                    host=program._host,
                    at=at,
                    asked_at=asked_at,
                    woken_at=program.now(),
                )
            )

    async def work(self, deadline: SimulatedDeadline, chance: Random) -> None:
        """Try work until it is done, or its time is over."""
        await self._until(deadline.from_us)
        while deadline.key not in self._program._done:
            if await self._tried(deadline.key, lambda: self._try(deadline, chance)):
                self._program._done.add(deadline.key)
            else:
                await self._clock.sleep(AGAIN_US)

    async def _try(self, deadline: SimulatedDeadline, chance: Random) -> None:
        program = self._program
        key = f"{program._host} {deadline.key}"
        length = deadline.length_us * MICROSECOND
        async with self._scheduler.deadline(key, length) as limit:
            tried = Tried(key=key, host=program._host, at=instant_from(limit.at))
            program.tried.append(tried)
            left_us = deadline.work_us
            while left_us > 0:
                await self._clock.sleep(STEP_US)
                left_us -= STEP_US
                if self._store.now() not in program.thawed_at and not self._is_dead():
                    tried.acted_at = program.now()
            if chance.randrange(100) < deadline.failing:
                raise WorkError

    async def subscribe(self, trigger: SimulatedTrigger, hear: Hearer) -> None:
        """Subscribe to a trigger that was fired before, maybe."""
        assert trigger.heard_us is not None
        await self._until(trigger.heard_us)
        self._scheduler.on(trigger.name, id=SUBSCRIBER)(hear)

    async def fire(self, trigger: SimulatedTrigger, chance: Random) -> None:
        """Fire a trigger as often as it shall be, each time until that is answered."""
        program = self._program
        for number in range(trigger.fires):
            key = f"{program._host} {number}"
            if key in program._done:
                continue
            await self._until(number * FIRES_EVERY_US + chance.randrange(SECOND_US))
            deed = partial(self._fire, trigger, key=key)
            while not await self._tried(key, deed):
                await self._clock.sleep(AGAIN_US)
        program._done.add(trigger.job_id)

    async def _fire(self, trigger: SimulatedTrigger, *, key: str) -> None:
        program, payload = self._program, [trigger.length_us, 0, 0]
        run = await self._scheduler.fire(trigger.name, payload, idempotency_key=key)
        if not self._is_dead():
            program._done.add(key)
            program.fired.append(Fired(run_id=run.id, at=self._store.now()))
