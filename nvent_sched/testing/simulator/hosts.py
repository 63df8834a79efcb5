"""A simulated instance: a scheduler of its own, that can be frozen, cut off and killed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

import anyio

from nvent_sched._engine.core import Core
from nvent_sched._model.instants import SECOND_US
from nvent_sched.errors import SchedError, StoreUnavailableError
from nvent_sched.scheduler import Scheduler
from nvent_sched.testing.checker import Begun
from nvent_sched.testing.faulty import VERBS, Drawn, with_faults
from nvent_sched.testing.simulator.lives import ALARM
from nvent_sched.testing.simulator.patterns import Patterns
from nvent_sched.testing.simulator.programs import Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._engine.context import RunContext
    from nvent_sched._port import Adapter
    from nvent_sched.testing.faulty import Faults
    from nvent_sched.testing.simulator.store import SimulatedStore
    from nvent_sched.testing.simulator.timeline import HostClock
    from nvent_sched.testing.simulator.worlds import SimulatedJob

LEASE: Final = timedelta(seconds=12)
HEARTBEAT: Final = timedelta(seconds=2)
DEAD_AFTER: Final = timedelta(seconds=6)
RESTART_US: Final = SECOND_US // 2
KEPT: Final = timedelta(days=3_650)


class HandlerError(Exception):
    """What a simulated handler raises when it shall fail."""


class SimulatedScheduler(Scheduler):
    """A scheduler whose instance has the id it is given: the same in every process."""

    def __init__(self, adapter: Adapter, *, instance_id: str, **settings: Any) -> None:
        super().__init__(adapter, capture_logging=False, **settings)
        self._simulated_id = instance_id

    def _new_core(self) -> Core:
        return Core(
            adapter=self._adapter,
            clock=self._clock,
            registry=self._registry,
            options=self._options,
            instance_id=self._simulated_id,
        )


class Connection:
    """The way from a host to the store, through the gate of the host's process.

    Attributes:
        is_cut: Nothing passes.
        is_dead: The process is gone: nothing passes ever again.
        calls: How many calls were made.
        dies_at: The number of the call at which the process dies; None for never.
        dies_after: It dies when the step was made, not before.
    """

    def __init__(self, adapter: Adapter, clock: HostClock) -> None:
        self._adapter, self._clock = adapter, clock
        self.is_cut = False
        self.is_dead: bool = False
        self.calls = 0
        self.dies_at: int | None = None
        self.dies_after = False
        self.on_death: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        """Pass on what is not a verb; a verb only through the gate."""
        verb = getattr(self._adapter, name)
        return self._gated(verb, name) if name in VERBS else verb

    def _gated(self, verb: Callable[..., Any], name: str) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            if self.is_dead:
                if name == "close":
                    return None
                raise _gone()
            await self._clock.pass_gate()
            self.calls += 1
            is_last = self.dies_at is not None and self.calls >= self.dies_at
            if is_last and not self.dies_after:
                self._die()
            if (self.is_cut or self.is_dead) and name != "close":
                raise _gone()
            answer = await verb(*args, **kwargs)
            if is_last:
                self._die()
            await self._clock.pass_gate()
            if self.is_dead and name != "close":
                raise _gone()
            return answer

        return call

    def _die(self) -> None:
        if not self.is_dead:
            self.is_dead = True
            self.on_death()


def _gone() -> StoreUnavailableError:
    return StoreUnavailableError("there is no way to the store; this was asked for")


class Host:
    """One machine, on which an instance is started again whenever it ended.

    Attributes:
        scheduler: The one that runs; None while none does.
        begun: The handlers that began here.
        program: What its code does beside its jobs.
    """

    def __init__(  # noqa: PLR0913  all that differs between hosts
        self,
        name: str,
        store: SimulatedStore,
        clock: HostClock,
        *,
        seed: int,
        faults: Faults | None = None,
        slots: int = 50,
        has_handler: bool = True,
        declared: SimulatedJob | None = None,
        patterns: Patterns | None = None,
        runs_handlers: bool = True,
    ) -> None:
        self.name: str = name
        self.store: SimulatedStore = store
        self.clock: HostClock = clock
        self.seed = seed
        self.faults: Drawn | Faults = (
            Drawn(Random(f"{seed} {name}"), share=0) if faults is None else faults
        )
        self.scheduler: SimulatedScheduler | None = None
        self.begun: list[Begun] = []
        self._slots, self._runs_handlers = slots, runs_handlers
        self._has_handler, self._declared = has_handler, declared
        self._starts = 0
        self.program: Program = Program(
            name, store, clock, patterns=patterns or Patterns(), seed=seed
        )
        self._scope: anyio.CancelScope | None = None
        self._connection: Connection | None = None
        self._stop = anyio.Event()

    async def run(self) -> None:
        """Start an instance, and another one when it ended; ends by cancellation."""
        while True:
            self._starts += 1
            await self._one_life(f"{self.name}.{self._starts}")
            await self.clock.sleep(RESTART_US)

    async def _one_life(self, instance_id: str) -> None:
        link = self.store.as_seen_by(instance_id)
        faulty = with_faults(link, self.faults, clock=self.clock)
        connection = self._connection = Connection(faulty, self.clock)
        self._stop = anyio.Event()
        scheduler = SimulatedScheduler(
            cast("Adapter", connection),
            instance_id=instance_id,
            clock=self.clock,
            lease=LEASE,
            heartbeat=HEARTBEAT,
            dead_after=DEAD_AFTER,
            history_runs=100_000,
            history_success=KEPT,
            history_failure=KEPT,
            runs_handlers=self._runs_handlers,
            max_running=self._slots,
        )
        if self._has_handler:
            scheduler.handler("work")(self._work)
        if (job := self._declared) is not None:
            declare = scheduler.job(
                job.schedule, id=job.id, handler="work", args=job.args, **job.options
            )
            declare(self._work)
        scheduler.handler(ALARM)(self._alarm)
        self.program.declare(scheduler, self._hear)
        with anyio.CancelScope() as self._scope:
            connection.on_death = self._scope.cancel
            try:
                async with scheduler:
                    self.scheduler = scheduler
                    is_dead = partial(getattr, connection, "is_dead")
                    async with self.program.running(
                        scheduler, self._hear, is_dead=is_dead
                    ):
                        await self._stop.wait()
            except SchedError as error:
                self.store.log.append(f"{instance_id} ended: {type(error).__name__}")
            finally:
                self.scheduler = None

    async def _work(  # noqa: PLR0917  as the arguments of a job are given
        self, run: RunContext, length_us: int, failing: int, killing: int
    ) -> None:
        """Take so long, in steps that an onlooker sees, and fail now and then."""
        chance = Random(f"{self.seed} {run.id} {run.attempt}")
        begun = Begun(
            job_id=run.job_id,
            run_id=run.id,
            fence=run.fencing_token,
            instance=str(self.name),
            began_at=self.store.now(),
        )
        connection = self._connection
        assert connection is not None
        if connection.is_dead:
            return
        self.begun.append(begun)
        left_us = chance.randrange(length_us + 1)
        while left_us > 0:
            step_us = min(left_us, SECOND_US)
            await self.clock.sleep(step_us)
            left_us -= step_us
            if not connection.is_dead:
                begun.acts.append(self.store.now())
        if chance.randrange(100) < killing:
            self.kill()
        if chance.randrange(100) < failing:
            raise HandlerError

    async def _alarm(self, run: RunContext, stall: dict[str, Any]) -> None:
        """Hear that work is stalled."""
        self.store.log.append(f"{self.name} hears an alarm: {stall['key']}")
        await self._work(run, 0, 0, 0)

    async def _hear(self, run: RunContext, fired: list[int] | None) -> None:
        """Hear a trigger that was fired: by hand with what to do, by its schedule not."""
        await self._work(run, *(fired or (0, 0, 0)))

    def freeze(self) -> None:
        """Stop the process, as SIGSTOP does."""
        self.clock.freeze()

    def thaw(self) -> None:
        """Let it go on, as SIGCONT does."""
        self.program.thawed_at.add(self.store.now())
        self.clock.thaw()

    def cut(self, *, is_cut: bool) -> None:
        """Cut the way to the store, or mend it."""
        if self._connection is not None:
            self._connection.is_cut = is_cut

    def set_share(self, share: int) -> None:
        """Say how many of a thousand calls go wrong; nothing if they are scripted."""
        if isinstance(self.faults, Drawn):
            self.faults.share = share

    def kill(self) -> None:
        """End the process at once: nothing of it reaches the store any more."""
        if self._connection is not None and self._scope is not None:
            self._connection.is_dead = True
            self._scope.cancel()
        self.thaw()

    def kill_at_call(self, in_calls: int, *, is_after: bool) -> None:
        """End the process at one of its next calls, before or after the step."""
        if self._connection is not None:
            self._connection.dies_at = self._connection.calls + in_calls
            self._connection.dies_after = is_after

    def stop(self) -> None:
        """End the instance in good order."""
        self._stop.set()

    def watched(self) -> list[Begun]:
        """Give the handlers that began here, with when the host was thawed."""
        thawed = frozenset(self.program.thawed_at)
        return [replace(begun, thawed=thawed) for begun in self.begun]

    def held(self) -> list[Begun]:
        """Give the times at which a lock was had here, likewise."""
        thawed = frozenset(self.program.thawed_at)
        return [replace(begun, thawed=thawed) for begun in self.program.held]
