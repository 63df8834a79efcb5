"""One instance: which loops there are, in which order they start and stop.

Start: list the instance (heartbeat), look for runs the dead left behind, declare the
jobs of the code, and only then plan. Stop: take nothing more, give back what has not
begun, wait for what has, ask and then cancel the rest, write every verdict, leave the
list. Every wait of a stop has an end.
"""

from __future__ import annotations

import os
import platform
import threading
from collections import deque
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio

from nvent_sched._engine.bus import Bus
from nvent_sched._engine.capture import logging_captured
from nvent_sched._engine.claims import StopCause
from nvent_sched._engine.idling import wait_idle
from nvent_sched._engine.jobverbs import put_definitions
from nvent_sched._engine.lag import LagWatch, note_jump
from nvent_sched._engine.lastwords import IN_HASTE_US, LAST_WORDS_US, LastWords
from nvent_sched._engine.launcher import run_launcher
from nvent_sched._engine.liveness import Liveness
from nvent_sched._engine.passes import run_passes
from nvent_sched._engine.planner import plan_pass
from nvent_sched._engine.printing import prints_routed
from nvent_sched._engine.runner import THREAD_HASTE_US
from nvent_sched._engine.signals import Signal, from_any_thread
from nvent_sched._engine.tasks import open_tasks
from nvent_sched._logs import logger_of
from nvent_sched._model.events import EventKind
from nvent_sched._model.instances import Instance
from nvent_sched._rules.registration import IfExists
from nvent_sched._rules.settling import hand_back
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from anyio.abc import TaskGroup

    from nvent_sched._engine.companions import Companion
    from nvent_sched._engine.core import Core
    from nvent_sched._engine.tasks import Start
    from nvent_sched._model.jobs import JobDefinition

    _Loop = tuple[str, Callable[[], Awaitable[int | None]], Signal]

log = logger_of(__name__)


class Engine:
    """The loops of one instance."""

    def __init__(
        self, core: Core, *, runs_handlers: bool, companions: Sequence[Companion] = ()
    ) -> None:
        self.core = core
        self._companions = companions
        for companion in companions:
            core.jump_signals.append(companion.signal)
            for handler in companion.handlers():
                core.registry.add(handler)
        self._runs_handlers = runs_handlers
        self.thread_id: int | None = None
        self._guests: deque[Callable[[], Awaitable[None]]] = deque()
        self._guest_signal = Signal()
        self._call_in: Callable[[], None] = self._guest_signal.set
        self._later: list[JobDefinition] = []
        self._later_signal = Signal()
        self.bus: Bus = Bus(core)
        self.liveness: Liveness = Liveness(core, instance=_instance(core))
        self.stopped: anyio.Event = anyio.Event()
        self._stop_asked = anyio.Event()
        self.last_words: LastWords = LastWords(core.clock)
        self._is_stopping = self._is_leaving = False

    @asynccontextmanager
    async def running(
        self, declare: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """Run while the body does.

        Args:
            declare: Puts the jobs of the code into the store, before anything fires.
        """
        core = self.core
        with self._borrowed():
            if core.adapter.traits.has_own_clock:
                await _ask_the_time(core)
            if self._runs_handlers:
                await self.liveness.one_pass()
                await declare()
                core.tell(EventKind.INSTANCE_STARTED, detail=_found(core))
            body_error: BaseException | None = None
            async with anyio.create_task_group() as loops:
                async with open_tasks() as start:
                    self._start(loops, start)
                    try:
                        yield
                    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001
                        # Raised again below, outside the groups: it is the user's
                        # own and must not come out wrapped.
                        body_error = error
                    finally:
                        await self.stop(grace_us=core.options.grace_us)
                        core.break_off()
                # What was broken off just now has its verdict only now.
                with anyio.CancelScope(shield=True):
                    await self.last_words.say(self._say_last_words)
                loops.cancel_scope.cancel()
            if body_error is not None:
                raise body_error

    @contextmanager
    def _borrowed(self) -> Iterator[None]:
        """Hold what belongs to the process or the clock, and give it back."""
        core = self.core
        with ExitStack() as held:
            held.callback(
                core.clock.bind(core.is_busy, on_jump=partial(note_jump, core))
            )
            held.callback(core.threads.close)
            if core.options.is_logging_captured:
                held.enter_context(logging_captured())
            held.enter_context(prints_routed())
            yield

    def _start(self, loops: TaskGroup, start: Start) -> None:
        core = self.core
        passes: list[_Loop] = [
            ("outbox", self._flush, core.outbox.signal),
            ("bus", self.bus.one_pass, core.bus_signal),
            *((each.name, each.one_pass, each.signal) for each in self._companions),
        ]
        if self._runs_handlers:
            core.adapter.on_hint(from_any_thread(core.planner_signal))
            passes += [
                ("planner", self._plan, core.planner_signal),
                ("liveness", self.liveness.one_pass, core.liveness_signal),
                ("janitor", core.janitor.one_pass, core.janitor.signal),
                ("declarer", self._declare_late, self._later_signal),
            ]
            loops.start_soon(partial(run_launcher, core, start=start))
            if core.clock.moves_by_itself:
                loops.start_soon(LagWatch(core).run)
        for name, one_pass, signal in passes:
            loops.start_soon(partial(run_passes, core, name, one_pass, signal=signal))
        self.thread_id = threading.get_ident()
        self._call_in = from_any_thread(self._guest_signal)
        loops.start_soon(self._take_in, loops)
        loops.start_soon(core.deadlines.run)
        loops.start_soon(self._stop_when_asked)

    def host(self, run: Callable[[], Awaitable[None]]) -> None:
        """Run a view beside the loops until the end; from any thread, soon.

        Its own faults are logged, and end nothing but itself.
        """
        self._guests.append(run)
        self._call_in()

    async def _take_in(self, loops: TaskGroup) -> None:
        while True:
            await self._guest_signal.wait()
            while self._guests:
                loops.start_soon(_be_guest, self._guests.popleft())

    def declare_later(self, definition: JobDefinition) -> None:
        """Store a job that the code declares while this runs."""
        self._later.append(definition)
        self._later_signal.set()

    async def _declare_late(self) -> None:
        while self._later:
            await put_definitions(self.core, self._later[:1], if_exists=IfExists.UPDATE)
            del self._later[0]

    async def _plan(self) -> int | None:
        return await plan_pass(self.core)

    async def _flush(self) -> None:
        await self.core.outbox.flush()

    async def stop(self, *, grace_us: int) -> None:
        """Stop in order, also while being cancelled, but never for ever. Once."""
        if self._is_stopping:
            await self.stopped.wait()
            return
        self._is_stopping = True
        self.core.is_taking = False
        try:
            self._give_back_unstarted()
            await wait_idle(self.core, until_us=self.last_words.after_us(grace_us))
            await self._end(words_us=LAST_WORDS_US)
        except BaseException:
            in_haste_us = self.last_words.after_us(THREAD_HASTE_US)
            self.core.deadlines.add(at_us=in_haste_us, act=self.core.break_off)
            with anyio.CancelScope(shield=True):
                await self._end(words_us=IN_HASTE_US)
            raise
        finally:
            self.bus.close()
            for companion in self._companions:
                companion.close()
            self.stopped.set()

    def request_stop(self) -> None:
        """Stop soon; for handlers and signals, which cannot wait for it."""
        self._stop_asked.set()

    async def _stop_when_asked(self) -> None:
        await self._stop_asked.wait()
        await self.stop(grace_us=self.core.options.grace_us)

    def _give_back_unstarted(self) -> None:
        core = self.core
        for claim in list(core.unstarted.values()):
            del core.unstarted[claim.run.id]
            verdict = hand_back(claim.run)
            core.outbox.settle(verdict, policies=claim.policies, claim=claim)

    async def _end(self, *, words_us: int) -> None:
        """Stop what is still going, and write what there is to say."""
        core = self.core
        for claim in list(core.claims.values()):
            claim.stop(StopCause.STOPPING, reason="the scheduler is stopping")
        if self._runs_handlers and not self._is_leaving:
            core.tell(EventKind.INSTANCE_STOPPED)
        self._is_leaving = True
        self.last_words.begin(length_us=words_us)
        until_us = self.last_words.after_us(LAST_WORDS_US)
        await self.last_words.say(self._say_last_words)
        while (
            core.claims
            and not self.last_words.are_unheard
            and await core.clock.wait(core.idle_signal, until_us=until_us)
        ):
            await self.last_words.say(self._say_last_words)

    async def _say_last_words(self) -> None:
        """Write every verdict, and leave the list once nothing is going."""
        core = self.core
        try:
            await core.outbox.flush()
            if self._runs_handlers and not core.claims:
                await core.adapter.leave(core.instance_id, now=core.time.now())
        except StoreError as error:
            log.error(  # noqa: TRY400  the text says it; a traceback would not
                "could not leave in good order: %s; what was going is taken over by "
                "another instance",
                error,
            )


async def _be_guest(run: Callable[[], Awaitable[None]]) -> None:
    try:
        await run()
    except Exception:
        log.exception("a view ended by a fault of its own")


def _found(core: Core) -> str:
    """Say what dead instances had left behind; nothing if they had not."""
    if not core.found:
        return ""
    counts = ", ".join(f"{count} {what}" for what, count in core.found.items())
    log.warning("found what dead instances left behind: %s", counts)
    return f"found what dead instances left behind: {counts}"


async def _ask_the_time(core: Core) -> None:
    """Learn the store's time before anything is stored by it, also without handlers."""
    asked_at_us = core.clock.monotonic_us()
    batch = await core.adapter.take_due(now=core.time.now(), handlers=(), limit=1)
    core.time.observe(batch.now, asked_at_us=asked_at_us)


def _instance(core: Core) -> Instance:
    from importlib.metadata import version  # noqa: PLC0415  slow, and not for a mere import

    now = core.clock.now()
    return Instance(
        id=core.instance_id,
        host=platform.node(),
        pid=os.getpid(),
        release=version("nvent_sched"),
        started_at=now,
        heartbeat_at=now,
        slots=sum(core.limits.values()),
    )
