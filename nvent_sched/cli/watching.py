"""`watch`: the live picture of a store, drawn about twice a second.

It follows the store by its events, as every live view does, instead of reading all of it
for each picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio
from rich.live import Live

from nvent_sched.cli.board import FRAME_EVERY, read_frame
from nvent_sched.cli.client import opened
from nvent_sched.cli.exits import Exit
from nvent_sched.cli.standing import standing
from nvent_sched.cli.waiting import heeding_signals, pause_for
from nvent_sched.scheduler._following import follower_of

if TYPE_CHECKING:
    import argparse

    from rich.console import RenderableType

    from nvent_sched.cli.output import Output
    from nvent_sched.scheduler import Scheduler
    from nvent_sched.scheduler._following import Follower

LINES_AROUND: Final = 8
"""What a screen needs besides the jobs: the header, the heads, what is left out."""
ROWS_MAX: Final = 1_000


async def watch(asked: argparse.Namespace, out: Output) -> Exit:
    """Draw until a signal comes; a single frame where nothing can be redrawn."""
    with anyio.CancelScope() as scope:
        async with heeding_signals(scope.cancel), opened(asked.store) as scheduler:
            if out.is_json:
                out.document((await read_frame(scheduler)).snapshot)
            elif asked.once or not out.is_live:
                follower = follower_of(scheduler)
                await follower.load()
                out.show(_drawn(follower, out))
            else:
                await _run_screen(scheduler, out)
    return Exit.DONE


async def _run_screen(scheduler: Scheduler, out: Output) -> None:
    follower = follower_of(scheduler)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower.run)
        with Live(console=out.console, auto_refresh=False, screen=True) as live:
            while True:
                live.update(_drawn(follower, out), refresh=True)
                await pause_for(FRAME_EVERY)


def _drawn(follower: Follower, out: Output) -> RenderableType:
    width, height = out.console.size
    rows_max = max(5, height - LINES_AROUND) if out.is_live else ROWS_MAX
    return standing(follower.model, now=follower.now, width=width, rows_max=rows_max)
