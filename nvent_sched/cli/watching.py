"""`watch`: the live picture of a store, drawn about twice a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio
from rich.live import Live

from nvent_sched.cli.board import FRAME_EVERY, Rate, picture, read_frame
from nvent_sched.cli.client import opened
from nvent_sched.cli.exits import Exit
from nvent_sched.cli.waiting import heeding_signals, pause_for

if TYPE_CHECKING:
    import argparse

    from rich.console import RenderableType

    from nvent_sched.cli.output import Output
    from nvent_sched.scheduler import Scheduler

LINES_AROUND: Final = 12
"""What a screen needs besides the jobs: the header, a few runs, the heads."""


async def watch(asked: argparse.Namespace, out: Output) -> Exit:
    """Draw until a signal comes; a single frame where nothing can be redrawn."""
    with anyio.CancelScope() as scope:
        async with heeding_signals(scope.cancel), opened(asked.store) as scheduler:
            if out.is_json:
                out.document((await read_frame(scheduler)).snapshot)
            elif asked.once or not out.is_live:
                out.show(await _drawn(scheduler, Rate(), out))
            else:
                await _run_screen(scheduler, out)
    return Exit.DONE


async def _run_screen(scheduler: Scheduler, out: Output) -> None:
    rate = Rate()
    with Live(console=out.console, auto_refresh=False, screen=True) as live:
        while True:
            live.update(await _drawn(scheduler, rate, out), refresh=True)
            await pause_for(FRAME_EVERY)


async def _drawn(scheduler: Scheduler, rate: Rate, out: Output) -> RenderableType:
    width, height = out.console.size
    jobs_max = max(5, height - LINES_AROUND) if out.is_live else 1_000
    frame = await read_frame(scheduler, jobs_max=jobs_max)
    return picture(frame, rate=rate.observe(frame), width=width, height=height)
