"""One scheduler for the whole process, for programs that have no place to pass it on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nvent_sched.errors import NotRunningError, UsageError
from nvent_sched.scheduler import Scheduler

if TYPE_CHECKING:
    from nvent_sched._port import Adapter

_current: list[Scheduler] = []


async def initialize_scheduler(
    store: str | Adapter | None = None,
    **settings: Any,  # noqa: ANN401  Scheduler's own
) -> Scheduler:
    """Make a scheduler, start it, and let `use_scheduler` find it.

    Args:
        store: As for `Scheduler`.
        **settings: As for `Scheduler`.

    Raises:
        UsageError: There is one already.
        StoreError: The store cannot be opened.
    """
    if _current:
        msg = (
            f"the process has a scheduler already: {_current[0]!r}; shut it down first"
        )
        raise UsageError(msg)
    scheduler = Scheduler(store, **settings)
    _current.append(scheduler)
    try:
        await scheduler.start()
    except BaseException:
        _current.remove(scheduler)
        raise
    return scheduler


def use_scheduler() -> Scheduler:
    """Find the process's scheduler.

    Raises:
        NotRunningError: There is none.
    """
    if not _current:
        verb = "use_scheduler"
        raise NotRunningError(verb)
    return _current[0]


async def shutdown_scheduler() -> None:
    """Stop the process's scheduler, if there is one; from the task that started it.

    Raises:
        UsageError: Another task started it.
    """
    while _current:
        scheduler = _current.pop()
        try:
            await scheduler.stop()
        except UsageError:
            _current.append(scheduler)  # it still runs
            raise
