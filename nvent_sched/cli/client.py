"""Ask a store as a client: one that fires nothing and is not listed."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import moment_from
from nvent_sched.errors import UsageError
from nvent_sched.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from nvent_sched._port import Adapter

SQLITE: Final = "sqlite:///"
IN_MEMORY: Final = ":memory:"


def file_of(scheduler: Scheduler) -> Path | None:
    """Say which file is the scheduler's store; None if none is."""
    url = scheduler.url
    if not url.startswith(SQLITE) or url.endswith(IN_MEMORY):
        return None
    return Path(url.removeprefix(SQLITE))


@asynccontextmanager
async def opened(store: str | None) -> AsyncIterator[Scheduler]:
    """Open a store that exists; looking at one never creates it.

    Raises:
        UsageError: There is no such file.
    """
    scheduler = Scheduler(store, runs_handlers=False)
    if is_missing(file_of(scheduler)):
        msg = (
            f"there is no store {file_of(scheduler)}; name one with --store or "
            "NVENT_SCHED_URL, or make one: nvent-sched demo"
        )
        raise UsageError(msg)
    async with scheduler:
        yield scheduler


def adapter_of(scheduler: Scheduler) -> Adapter:
    """Give the store below a running scheduler, for what has no verb of its own."""
    return scheduler._core("adapter_of").adapter  # noqa: SLF001  ours


def now_of(scheduler: Scheduler) -> datetime:
    """Say the time by the clock of a running scheduler's store, as last heard."""
    return moment_from(scheduler._core("now_of").time.now())  # noqa: SLF001  ours


def is_missing(path: Path | None) -> bool:
    """Say whether a store's file is not there."""
    return path is not None and not path.exists()
