"""Which scheduler a magic means: the named one, the process's, or the only one there is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from nvent_sched.ambient import use_scheduler
from nvent_sched.blocking import BlockingScheduler
from nvent_sched.errors import NotRunningError, UsageError
from nvent_sched.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

T = TypeVar("T")
KINDS = (Scheduler, BlockingScheduler)


def scheduler_of(
    names: Mapping[str, Any], *, asked: str | None
) -> tuple[str, Scheduler | BlockingScheduler]:
    """Find the scheduler that a magic works with, and say what it is called.

    Args:
        names: The user's variables.
        asked: The name of a variable, if one was asked for.

    Raises:
        UsageError: There is none, or more than one.
    """
    if asked is not None:
        if isinstance(found := names.get(asked), KINDS):
            return f"`{asked}`", found
        msg = f"--on {asked}: that is no scheduler, but {found!r:.80}"
        raise UsageError(msg)
    try:
        return "use_scheduler()", use_scheduler()
    except NotRunningError:
        return _only_one(names)


def _only_one(names: Mapping[str, Any]) -> tuple[str, Scheduler | BlockingScheduler]:
    found: dict[int, tuple[str, Scheduler | BlockingScheduler]] = {}
    for name, value in names.items():
        # IPython's own names (_, _1, Out) hold what cells showed.
        if isinstance(value, KINDS) and not name.startswith("_"):
            found.setdefault(id(value), (f"`{name}`", value))
    running = [each for each in found.values() if is_running(each[1])]
    match running or [*found.values()]:
        case [only]:
            return only
        case []:
            msg = (
                "there is no scheduler here; make one first:\n\n"
                "    from nvent_sched import BlockingScheduler\n"
                '    scheduler = BlockingScheduler("sqlite:///jobs.db")\n'
                "    scheduler.start()"
            )
            raise UsageError(msg)
        case several:
            listed = ", ".join(name for name, _ in several)
            msg = f"there are several schedulers ({listed}); say which: --on NAME"
            raise UsageError(msg)


def is_running(scheduler: Scheduler | BlockingScheduler) -> bool:
    """Whether a scheduler is started."""
    try:
        return bool(scheduler.instance_id)
    except NotRunningError:
        return False


def answer_of(asked: T | Awaitable[T]) -> T:
    """Give what a verb answers, also where a loop is running that cannot be waited on.

    An async scheduler reads its store in any loop: this one is in a thread of its own.
    """
    if not isawaitable(asked):
        return asked

    async def wait() -> T:
        return await asked

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, wait).result()
