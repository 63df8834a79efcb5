"""A task for each run, made by the event loop itself.

anyio gives every task a handle, an event and a scope of its own, which takes four times as
long as the task (measured: 18 instead of 4 us, on either loop). Runs are many, short, and
have a cancel scope of their own; for them alone the loop's own kind of group is used.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from anyio.lowlevel import current_token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    Work = Callable[..., Coroutine[Any, Any, None]]
    Start = Callable[..., object]


@asynccontextmanager
async def open_tasks() -> AsyncIterator[Start]:
    """Open a group of tasks on the loop that runs; it is left when all have ended.

    It gives what starts a task: called with an async function and its arguments. Who wants
    tasks to end early has to tell them.

    Raises:
        BaseExceptionGroup: Tasks, or the body, raised.
    """
    # Either is loaded already, and neither is for a mere import of ours.
    if hasattr(current_token().native_token, "create_task"):
        import asyncio  # noqa: PLC0415

        async with asyncio.TaskGroup() as group:

            def start(function: Work, *args: object) -> None:
                group.create_task(function(*args))

            yield start
        return
    import trio  # noqa: PLC0415

    async with trio.open_nursery() as nursery:

        def begin(function: Work, *args: object) -> None:
            # Ctrl-C is for the program, not for the run that computes just then.
            protected = trio.lowlevel.enable_ki_protection(function)
            nursery.start_soon(protected, *args)

        yield begin
