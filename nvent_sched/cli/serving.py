"""`run`: a scheduler of the user's, until a signal comes."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio

from nvent_sched._views.words import count_words
from nvent_sched.blocking import BlockingScheduler
from nvent_sched.cli.exits import Exit
from nvent_sched.cli.waiting import heeding_signals
from nvent_sched.errors import UsageError
from nvent_sched.scheduler import STORE_VARIABLE, Scheduler

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine
    from datetime import timedelta

    from nvent_sched.cli.output import Output

LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
DEFAULT_NAME: Final = "scheduler"
YOUNG_MIN: Final = 10_000
"""How many new objects, at least, are a reason for the garbage collector to look."""


async def run(asked: argparse.Namespace, out: Output) -> Exit:
    """Run a scheduler: the first signal stops it in order, the second at once."""
    scheduler = scheduler_named(asked.target, store=asked.store)
    logging.basicConfig(level=asked.log_level, format=LOG_FORMAT, stream=sys.stderr)

    async def tell_start() -> None:
        jobs = (await scheduler.snapshot(limit=1)).job_counts
        out.note(
            f"running {count_words(sum(jobs.values()), 'job')} from {scheduler.url} "
            f"as {scheduler.instance_id}; Ctrl-C stops"
        )

    life = Life(scheduler, grace=asked.grace, say=out.note)
    return await life.live(tell_start)


class Life:
    """One scheduler from its start to its end, by a signal or by `stop`.

    Args:
        scheduler: Not started.
        grace: How long runs may take to end; the scheduler's own without one.
        say: How to say that it stops.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        grace: timedelta | None,
        say: Callable[[str], None],
    ) -> None:
        self._scheduler, self._grace, self._say = scheduler, grace, say
        self._asked = anyio.Event()
        self._hurry = anyio.CancelScope()
        self._starting = anyio.CancelScope()
        self._has_started = False

    def stop(self) -> None:
        """Stop in order; before it has started, give up."""
        if not self._has_started:
            self._starting.cancel()
        self._asked.set()

    def stop_at_once(self) -> None:
        """Wait for no run any more."""
        self._say("stopping at once")
        self._hurry.cancel()

    async def live(
        self,
        *beside: Callable[[], Coroutine[Any, Any, None]],
        last: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> Exit:
        """Start, and stay until the stop.

        Args:
            beside: What to do meanwhile; cancelled at the stop.
            last: What to do after it, while the store is still open.

        Returns:
            Whether it was interrupted: before it had started, or in its stop.
        """
        with self._starting:
            async with heeding_signals(self.stop, self.stop_at_once), self._scheduler:
                self._has_started = True
                _spare_what_stays()
                async with anyio.create_task_group() as tasks:
                    for each in (self._stop_when_asked, *beside):
                        tasks.start_soon(each)
                    await self._scheduler.wait_until_stopped()
                    tasks.cancel_scope.cancel()
                if last is not None:
                    await last()
        was_hurried = self._hurry.cancel_called
        return Exit.DONE if self._has_started and not was_hurried else Exit.INTERRUPTED

    async def _stop_when_asked(self) -> None:
        await self._asked.wait()
        self._say("stopping: runs may end; once more stops at once")
        with self._hurry:
            await self._scheduler.stop(grace=self._grace)


def _spare_what_stays() -> None:
    """Let no garbage collection look again at what stays.

    Measured: the 45,000 objects of imports alone take a tenth of the CPU of a busy
    program, and pauses of 30 ms; what a run leaves behind for the next ones to be looked
    at takes another twentieth, as long as 700 new objects are reason enough to look.
    """
    gc.collect()
    gc.freeze()
    youngest, *older = gc.get_threshold()
    if youngest:  # the program itself may want no collection at all
        gc.set_threshold(max(youngest, YOUNG_MIN), *older)


def scheduler_named(target: str, *, store: str | None) -> Scheduler:
    """Import the scheduler that `module:name` names.

    Args:
        target: The working folder is where modules are looked for first.
        store: The store of a scheduler that names none itself.

    Raises:
        UsageError: It cannot be imported, or is no scheduler.
    """
    module_name, _, name = target.partition(":")
    if not module_name or module_name.endswith(".py") or "/" in module_name:
        suggestion = module_name.removesuffix(".py").strip("./").replace("/", ".")
        msg = (
            f"{target!r} names no module; give its dotted name and the scheduler in "
            f"it: {suggestion or 'app'}:{name or DEFAULT_NAME}"
        )
        raise UsageError(msg)
    if store is not None:
        os.environ[STORE_VARIABLE] = store
    sys.path.insert(0, "")
    found = _imported(module_name)
    for part in (name or DEFAULT_NAME).split("."):
        found = getattr(found, part, None)
    if isinstance(found, BlockingScheduler):
        found = found.async_scheduler
    if not isinstance(found, Scheduler):
        wanted = name or DEFAULT_NAME
        what = "nothing" if found is None else f"a {type(found).__name__}"
        msg = (
            f"{wanted!r} in module {module_name!r} is {what}, not a Scheduler; write "
            f"{module_name}:NAME, with the name of the variable that holds one"
        )
        raise UsageError(msg)
    if store is not None and found.url != Scheduler(store).url:
        msg = f"{target!r} has a store of its own, {found.url}; leave --store out"
        raise UsageError(msg)
    return found


def _imported(module_name: str) -> object:
    find = partial(importlib.import_module, module_name)
    try:
        return find()
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            msg = f"there is no module {module_name!r} here or among what is installed"
            raise UsageError(msg) from error
        msg = f"module {module_name!r} cannot be imported: {error}"
        raise UsageError(msg) from error
    except Exception as error:
        msg = f"module {module_name!r} cannot be imported: {type(error).__name__}: {error}"
        raise UsageError(msg) from error
