"""What happens in a simulation: troubles on hosts, and what users do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import Instant, moment_from
from nvent_sched._model.runs import RunState
from nvent_sched._rules.schedules import Interval
from nvent_sched.errors import SchedError
from nvent_sched.testing.simulator.timeline import JUMP_SEEN_US
from nvent_sched.testing.simulator.worlds import BY_USERS, ON_JOBS, Kind, Trouble

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from nvent_sched.testing.simulator.hosts import Host, SimulatedScheduler
    from nvent_sched.testing.simulator.worlds import World

SPAN_US: Final = 10_000_000
"""How much of the past is backfilled."""


class Stage:
    """The hosts of a simulation, and one user beside them.

    Args:
        world: What was drawn.
        hosts: Those that run handlers.
        user: The host of whoever steers.
        tasks: Where what users do goes on.
    """

    def __init__(
        self, world: World, *, hosts: list[Host], user: Host, tasks: TaskGroup
    ) -> None:
        self.world: World = world
        self.hosts: list[Host] = hosts
        self.user: Host = user
        self.tasks: TaskGroup = tasks
        self._acts = 0

    def apply(self, trouble: Trouble) -> None:
        """Let something happen."""
        self.user.store.log.append(f"{trouble.at_us} {trouble.kind} {trouble.who}")
        match trouble.kind:
            case Kind.REMEMBER:
                self.user.store.remember()
            case Kind.FAIL_OVER:
                self.user.store.fail_over()
            case kind if kind in BY_USERS:
                self._acts += 1
                self.tasks.start_soon(self._act, trouble, self._acts)
            case Kind.JUMP if not self.world.has_own_clock:
                for host in (*self.hosts, self.user):  # one machine, one wall clock
                    self._jump(host, trouble.amount)
            case _:
                chosen = self.hosts if trouble.who < 0 else [self.hosts[trouble.who]]
                for host in chosen:
                    self._on_host(host, trouble)

    def _jump(self, host: Host, by_us: int) -> None:
        host.clock.jump(by_us)

        async def notice() -> None:
            await host.clock.sleep(JUMP_SEEN_US)
            host.clock.notice_jump(by_us)

        self.tasks.start_soon(notice)

    def _on_host(self, host: Host, trouble: Trouble) -> None:
        amount = trouble.amount
        deeds: dict[Kind, Callable[[], object]] = {
            Kind.KILL: host.kill,
            Kind.KILL_AT_CALL: lambda: host.kill_at_call(
                amount // 2, is_after=amount % 2 > 0
            ),
            Kind.STOP: host.stop,
            Kind.FREEZE: host.freeze,
            Kind.THAW: host.thaw,
            Kind.CUT: lambda: host.cut(is_cut=True),
            Kind.MEND: lambda: host.cut(is_cut=False),
            Kind.JUMP: lambda: self._jump(host, amount),
            Kind.FAULTS: lambda: host.set_share(amount),
        }
        deeds[trouble.kind]()

    def end_trouble(self) -> None:
        """Let all be well again."""
        for host in self.hosts:
            host.thaw()
            host.cut(is_cut=False)
            host.set_share(0)
        at_us = self.user.clock.monotonic_us()
        for who in range(len(self.world.patterns.triggers)):
            for kind in (Kind.OPEN, Kind.HEAR):
                self.apply(Trouble(at_us=at_us, kind=kind, who=who))

    async def _act(self, trouble: Trouble, number: int) -> None:
        """Do what a user does; that it is refused is an answer as well."""
        log = self.user.store.log
        scheduler = self.user.scheduler
        if scheduler is None:
            return
        name = self._name(trouble)
        try:
            if trouble.kind in ON_JOBS:
                answer = await self._asked(scheduler, trouble, job=name, number=number)
            else:
                answer = await self._meddled(scheduler, trouble, name=name)
        except SchedError as error:
            log.append(f"user {trouble.kind} {name}: {type(error).__name__}")
        else:
            log.append(f"user {trouble.kind} {name}: {answer}")

    def _name(self, trouble: Trouble) -> str:
        """Say what somebody does something to."""
        patterns, who = self.world.patterns, trouble.who
        match trouble.kind:
            case Kind.CLOSE | Kind.OPEN:
                return patterns.triggers[who].name
            case Kind.HUSH | Kind.HEAR:
                return patterns.triggers[who].subscription_id
            case Kind.GIVE_UP:
                return patterns.waits[who].key
            case _:
                return self.world.jobs[who].id

    async def _meddled(
        self, scheduler: SimulatedScheduler, trouble: Trouble, *, name: str
    ) -> object:
        is_owed = trouble.amount % 2 > 0
        deeds: dict[Kind, Callable[[], Awaitable[object]]] = {
            Kind.CLOSE: lambda: scheduler.pause_trigger(name),
            Kind.OPEN: lambda: scheduler.resume_trigger(name, catch_up=is_owed),
            Kind.HUSH: lambda: scheduler.pause(name),
            Kind.HEAR: lambda: scheduler.resume(name),
            Kind.GIVE_UP: lambda: self._give_up(scheduler, name),
        }
        return await deeds[trouble.kind]()

    async def _give_up(self, scheduler: SimulatedScheduler, key: str) -> object:
        given_up = self.user.store.given_up
        given_up.setdefault(key, None)
        is_given_up = await scheduler.cancel_await(key)
        if is_given_up and given_up[key] is None:
            given_up[key] = self.user.program.now()
        return is_given_up

    async def _asked(
        self, scheduler: SimulatedScheduler, trouble: Trouble, *, job: str, number: int
    ) -> object:
        amount = trouble.amount
        deeds: dict[Kind, Callable[[], Awaitable[object]]] = {
            Kind.PAUSE: lambda: scheduler.pause(job),
            Kind.RESUME: lambda: scheduler.resume(job, catch_up=amount % 2 > 0),
            Kind.RESCHEDULE: lambda: self._reschedule(scheduler, job, amount=amount),
            Kind.RUN_NOW: lambda: self._run_now(scheduler, job, number=number),
            Kind.CANCEL: lambda: self._cancel(scheduler, amount=amount),
            Kind.EDIT: lambda: self._edit(scheduler, trouble, job=job),
            Kind.BACKFILL: lambda: self._backfill(scheduler, job),
        }
        return await deeds[trouble.kind]()

    async def _reschedule(
        self, scheduler: SimulatedScheduler, job: str, *, amount: int
    ) -> object:
        return (await scheduler.reschedule(job, Interval(seconds=1 + amount % 5))).id

    async def _run_now(
        self, scheduler: SimulatedScheduler, job: str, *, number: int
    ) -> object:
        return (await scheduler.run_now(job, idempotency_key=f"by hand {number}")).id

    async def _cancel(self, scheduler: SimulatedScheduler, *, amount: int) -> object:
        runs = self.user.store.runs()
        live = [run.id for run in runs if run.state is not RunState.FINISHED]
        if not live:
            return "nothing to cancel"
        return await scheduler.cancel_run(live[amount % len(live)])

    async def _backfill(self, scheduler: SimulatedScheduler, job: str) -> object:
        is_shared = not self.world.has_own_clock
        now = self.user.clock.now() if is_shared else self.user.store.now()
        end = moment_from(Instant(now - SPAN_US // 10))
        return await scheduler.backfill(job, moment_from(Instant(now - SPAN_US)), end)

    async def _edit(
        self, scheduler: SimulatedScheduler, trouble: Trouble, *, job: str
    ) -> object:
        """Change something of a job, but not when it runs."""
        stored = await scheduler.get_job(job)
        given = self.world.jobs[trouble.who]
        edited = await scheduler.schedule(
            "work",
            stored.schedule,
            id=job,
            name=f"{job} edited {trouble.amount}",
            args=given.args,
            **given.options | {"misfire_grace": timedelta(seconds=trouble.amount % 90)},
        )
        return edited.id
