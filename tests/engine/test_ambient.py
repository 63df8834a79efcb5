"""One scheduler for the whole process."""

from __future__ import annotations

import anyio
import pytest

from nvent_sched import initialize_scheduler, shutdown_scheduler, use_scheduler
from nvent_sched.errors import NotRunningError, UsageError


async def test_the_process_wide_scheduler_is_found_until_it_is_shut_down() -> None:
    started = await initialize_scheduler("memory:")

    found = use_scheduler()
    await shutdown_scheduler()

    assert found is started
    with pytest.raises(NotRunningError, match="not running"):
        use_scheduler()


async def test_a_second_process_wide_scheduler_is_refused() -> None:
    await initialize_scheduler("memory:")
    try:
        with pytest.raises(UsageError, match="already"):
            await initialize_scheduler("memory:")
    finally:
        await shutdown_scheduler()


async def test_a_shutdown_by_another_task_is_refused_and_changes_nothing() -> None:
    started = await initialize_scheduler("memory:")

    async def shut_down() -> None:
        with pytest.raises(UsageError, match="another task"):
            await shutdown_scheduler()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shut_down)

    assert use_scheduler() is started
    await shutdown_scheduler()
