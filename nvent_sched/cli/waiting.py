"""Wait on the clock, and heed signals: what every command that stays needs."""

from __future__ import annotations

import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._engine.clock import SystemClock
from nvent_sched._engine.signals import Signal
from nvent_sched._model.instants import MICROSECOND
from nvent_sched.blocking.signals import APART_US

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import timedelta

    from anyio.abc import TaskStatus

CLOCK: Final = SystemClock()
STOPS: Final = (signal.SIGINT, signal.SIGTERM)


async def pause_for(span: timedelta) -> None:
    """Wait for so long."""
    until_us = CLOCK.monotonic_us() + span // MICROSECOND
    await CLOCK.wait(Signal(), until_us=until_us)


@asynccontextmanager
async def heeding_signals(*answers: Callable[[], None]) -> AsyncIterator[None]:
    """Answer the first SIGINT or SIGTERM with the first answer, and so on.

    What comes right after one says the same once more. Soon after the last answer the
    signals have their usual effect again.
    """
    body_error: Exception | None = None
    async with anyio.create_task_group() as tasks:
        await tasks.start(_heed, answers)
        try:
            yield
        except Exception as error:  # noqa: BLE001  raised below, outside the group
            body_error = error
        tasks.cancel_scope.cancel()
    if body_error is not None:
        raise body_error


async def _heed(
    answers: tuple[Callable[[], None], ...],
    *,
    task_status: TaskStatus[None],
) -> None:
    with anyio.open_signal_receiver(*STOPS) as signals:
        task_status.started()
        heard_us: int | None = None
        for answer in answers:
            await anext(signals)
            while heard_us is not None and CLOCK.monotonic_us() - heard_us < APART_US:
                await anext(signals)
            heard_us = CLOCK.monotonic_us()
            answer()
        await CLOCK.wait(Signal(), until_us=CLOCK.monotonic_us() + APART_US)
