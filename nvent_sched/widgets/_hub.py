"""The loop side of all dashboards of one running scheduler."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import anyio

from nvent_sched._engine.signals import Signal, from_any_thread
from nvent_sched._logs import logger_of
from nvent_sched.errors import SchedError
from nvent_sched.scheduler._following import Follower

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched._engine.core import Core
    from nvent_sched._engine.supervision import Engine
    from nvent_sched._views.status import StatusModel
    from nvent_sched.scheduler import Scheduler

T = TypeVar("T")
log: Final = logger_of(__name__)
LOAD_SECONDS_MAX: Final = 5.0
"""How long a cell waits for the first picture."""
FIRST_JOBS_MAX: Final = 1_000
"""How many jobs the first picture reads where the cell's own loop is the scheduler's."""
ASKED_MAX: Final = 1_000


class View(Protocol):
    """What the hub serves: one widget's writer."""

    def wants_to_watch(self) -> bool:
        """Whether anybody may see it."""
        ...

    async def push(self, hub: Hub) -> None:
        """Send what is due, if anything."""
        ...

    def due_at_us(self, hub: Hub) -> int | None:
        """Say when the next message is due on the monotonic clock; None for never."""
        ...

    async def answer(self, hub: Hub, content: dict[str, Any]) -> None:
        """Take what the browser sent."""
        ...

    def end(self) -> None:
        """Let go of the widget."""
        ...


class Hub:
    """Follows a scheduler and serves its views, as a guest of its engine.

    Args:
        scheduler: The async one.
        engine: Running.
    """

    def __init__(self, scheduler: Scheduler, engine: Engine) -> None:
        self.scheduler: Scheduler = scheduler
        self.engine: Engine = engine
        self.core: Core = engine.core
        self.follower: Follower = Follower(engine.core, engine.bus)
        self._views: dict[View, Callable[[], None]] = {}
        self._signal = Signal()
        self._wake: Callable[[], None] | None = None
        self._asked: deque[tuple[View, dict[str, Any]]] = deque(maxlen=ASKED_MAX)
        self._calls: deque[tuple[Callable[[], Awaitable[Any]], Future[Any]]] = deque()
        self.is_over: bool = False

    @property
    def model(self) -> StatusModel:
        """What is known; in the loop's thread only."""
        return self.follower.model

    def now_us(self) -> int:
        """Read the monotonic clock."""
        return self.core.clock.monotonic_us()

    async def run(self) -> None:
        """Serve, until the scheduler stops."""
        self._wake = from_any_thread(self._signal)
        self.follower.on_change = self._signal.set
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._serve)
                await self.follower.run()
                tasks.cancel_scope.cancel()
        finally:
            self._end()

    async def _serve(self) -> None:
        async with anyio.create_task_group() as tasks:
            while True:
                while self._calls:
                    call, made = self._calls.popleft()
                    if made.set_running_or_notify_cancel():
                        tasks.start_soon(self._make, call, made)
                while self._asked:
                    view, content = self._asked.popleft()
                    tasks.start_soon(self._answer, view, content)
                for view in tuple(self._views):
                    await view.push(self)
                self.follower.is_watched = any(
                    v.wants_to_watch() for v in tuple(self._views)
                )
                due = [each.due_at_us(self) for each in tuple(self._views)]
                until_us = min((at for at in due if at is not None), default=None)
                await self.core.clock.wait(self._signal, until_us=until_us)

    async def _answer(self, view: View, content: dict[str, Any]) -> None:
        try:
            await view.answer(self, content)
        except SchedError as error:
            log.warning("a view's question failed", extra={"error": str(error)})
        self._signal.set()

    async def _make(
        self, call: Callable[[], Awaitable[Any]], made: Future[Any]
    ) -> None:
        try:
            result = await call()
        except Exception as error:  # noqa: BLE001  it belongs to who waits
            made.set_exception(error)
        else:
            made.set_result(result)

    def _end(self) -> None:
        """Let every view show how it ended, and let nobody wait."""
        self.is_over = True
        for _, made in self._calls:
            made.cancel()
        for show_end in tuple(self._views.values()):
            try:
                show_end()
            except Exception:
                log.exception("a view could not show the end")
        self._views.clear()
        _hubs.pop(id(self.engine), None)

    def add(self, view: View, show_end: Callable[[], None]) -> None:
        """Serve a view; from any thread.

        Args:
            view: Whose widget nobody else writes to from now on.
            show_end: Called in the loop when the scheduler stopped. Must not wait.
        """
        self._views[view] = show_end
        self._wake_up()

    def remove(self, view: View) -> None:
        """Serve a view no more."""
        self._views.pop(view, None)

    def ask(self, view: View, content: dict[str, Any]) -> None:
        """Queue what a browser sent; from any thread, never waits."""
        self._asked.append((view, content))
        self._wake_up()

    def _wake_up(self) -> None:
        if self._wake is not None:
            self._wake()

    def is_here(self) -> bool:
        """Whether the caller is in the hub's loop, which it must not wait for."""
        return threading.get_ident() == self.engine.thread_id

    def call(self, make: Callable[[], T]) -> T | None:
        """Have something made in the loop; None if the loop does not answer in time."""

        async def made() -> T:
            return make()

        return make() if self.is_over or self.is_here() else self._waited_for(made)

    def _waited_for(self, call: Callable[[], Awaitable[T]]) -> T | None:
        future: Future[T] = Future()
        self._calls.append((call, future))
        self._wake_up()
        if self.is_over:
            future.cancel()
        try:
            return future.result(LOAD_SECONDS_MAX)
        except (FutureTimeoutError, CancelledError):
            future.cancel()
            return None

    def draw(self, draw: Callable[[StatusModel], T]) -> T | None:
        """Draw how things stand, once what happened before is known.

        Returns:
            None if the loop does not answer in time.
        """
        if self.is_over:
            return draw(self.model)
        if not self.is_here():

            async def drawn() -> T:
                await self.follower.catch_up()
                return draw(self.model)

            return self._waited_for(drawn)
        if self.follower.is_loaded:
            return draw(self.model)
        # This loop is busy with the cell that asks; a store answers any loop.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(anyio.run, self._drawn_elsewhere, draw).result()

    async def _drawn_elsewhere(self, draw: Callable[[StatusModel], T]) -> T:
        other = Follower(self.core, self.engine.bus)
        await other.load(jobs_max=FIRST_JOBS_MAX)
        return draw(other.model)


_hubs: dict[int, Hub] = {}
_hubs_lock = threading.Lock()


def hub_of(scheduler: Scheduler, engine: Engine) -> Hub:
    """Give the hub of a running scheduler, starting it if there is none."""
    with _hubs_lock:
        hub = _hubs.get(id(engine))
        if hub is None or hub.engine is not engine:
            hub = _hubs[id(engine)] = Hub(scheduler, engine)
            engine.host(hub.run)
        return hub
