"""One life of a host's program: its locks, waits, deadlines, triggers and watchdogs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import MICROSECOND, SECOND_US, instant_from
from nvent_sched.errors import AwaitCancelledError, DeadlineError, SchedError
from nvent_sched.testing.checker import Begun
from nvent_sched.testing.simulator.patterns import (
    SUBSCRIBER,
    Fired,
    Sign,
    Tried,
    Woken,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from nvent_sched.patterns import Watchdog
    from nvent_sched.scheduler import Scheduler
    from nvent_sched.testing.simulator.patterns import (
        SimulatedDeadline,
        SimulatedLock,
        SimulatedTrigger,
        SimulatedWait,
        SimulatedWatchdog,
    )
    from nvent_sched.testing.simulator.programs import Program

    Hearer = Callable[..., Awaitable[None]]

ALARM: Final = "alarm"
"""What an alarm calls, on every host."""
AGAIN_US: Final = SECOND_US
"""After how long a program tries again what went wrong."""
STEP_US: Final = SECOND_US // 2
FIRES_EVERY_US: Final = 2 * SECOND_US
SIGNS: Final = 4
"""How many signs of life there are in a time-out."""


class WorkError(Exception):
    """What simulated work raises when it shall fail."""


class Life:
    """A program in one life of its process."""

    def __init__(
        self, program: Program, scheduler: Scheduler, is_dead: Callable[[], bool]
    ) -> None:
        self._program, self._scheduler, self._is_dead = program, scheduler, is_dead
        self._clock, self._store = program.clock, program.store
        self.name: str = scheduler.instance_id

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
        while wait.key not in self._program.done:
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
            program.done.add(wait.key)
            program.woken.append(
                Woken(
                    key=wait.key,
                    host=program.host,
                    at=at,
                    asked_at=asked_at,
                    woken_at=program.now(),
                )
            )

    async def work(self, deadline: SimulatedDeadline, chance: Random) -> None:
        """Try work until it is done, or its time is over."""
        await self._until(deadline.from_us)
        while deadline.key not in self._program.done:
            if await self._tried(deadline.key, lambda: self._try(deadline, chance)):
                self._program.done.add(deadline.key)
            else:
                await self._clock.sleep(AGAIN_US)

    async def _try(self, deadline: SimulatedDeadline, chance: Random) -> None:
        program = self._program
        key = f"{program.host} {deadline.key}"
        length = deadline.length_us * MICROSECOND
        async with self._scheduler.deadline(key, length) as limit:
            tried = Tried(key=key, host=program.host, at=instant_from(limit.at))
            program.tried.append(tried)
            left_us = deadline.work_us
            while left_us > 0:
                await self._clock.sleep(STEP_US)
                left_us -= STEP_US
                if self._store.now() not in program.thawed_at and not self._is_dead():
                    tried.acted_at = program.now()
            if chance.randrange(100) < deadline.failing:
                raise WorkError
            tried.is_through = True

    async def subscribe(self, trigger: SimulatedTrigger, hear: Hearer) -> None:
        """Subscribe to a trigger that was fired before, maybe."""
        assert trigger.heard_us is not None
        await self._until(trigger.heard_us)
        self._scheduler.on(trigger.name, id=SUBSCRIBER)(hear)

    async def fire(self, trigger: SimulatedTrigger, chance: Random) -> None:
        """Fire a trigger as often as it shall be, each time until that is answered."""
        program = self._program
        for number in range(trigger.fires):
            key = f"{program.host} {number}"
            if key in program.done:
                continue
            await self._until(number * FIRES_EVERY_US + chance.randrange(SECOND_US))
            deed = partial(self._fire, trigger, key=key)
            while not await self._tried(key, deed):
                await self._clock.sleep(AGAIN_US)
        program.done.add(trigger.job_id)

    async def _fire(self, trigger: SimulatedTrigger, *, key: str) -> None:
        program, payload = self._program, [trigger.length_us, 0, 0]
        run = await self._scheduler.fire(trigger.name, payload, idempotency_key=key)
        if not self._is_dead():
            program.done.add(key)
            program.fired.append(Fired(run_id=run.id, at=self._store.now()))

    async def watch(self, dog: SimulatedWatchdog) -> None:
        """Give signs of life until the work is done, or is left for good."""
        program, key = self._program, f"{self._program.host} {dog.key}"
        while dog.key not in program.done:
            watched = self._scheduler.watchdog(
                key, timeout=dog.timeout_us * MICROSECOND, on_stall=ALARM
            )
            await self._tried(key, partial(self._watched, dog, watched, key=key))
            await self._clock.sleep(AGAIN_US)

    async def _watched(
        self, dog: SimulatedWatchdog, watched: Watchdog, *, key: str
    ) -> None:
        program = self._program
        sign = Sign(key=key, asked_at=program.now())
        program.signs.append(sign)
        async with watched:
            sign.at = program.now()
            while self._clock.monotonic_us() < dog.until_us:
                await self._clock.sleep(dog.timeout_us // SIGNS)
                if not dog.is_silent(self._clock.monotonic_us()):
                    watched.beat()
                    now = program.now()
                    program.signs.append(Sign(key=key, asked_at=now, at=now))
            if not dog.is_left:
                program.done.add(dog.key)
                return
            program.done.add(dog.key)
            raise WorkError
