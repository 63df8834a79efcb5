"""Run the command that the arguments name, and turn its end into an exit code."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched.cli import (
    forecasting,
    looking,
    serving,
    simulating,
    steering,
    verifying,
    watching,
)
from nvent_sched.cli.arguments import parser_of_commands
from nvent_sched.cli.demo import demo
from nvent_sched.cli.exits import Exit, cause_of, exit_of
from nvent_sched.cli.output import Output
from nvent_sched.cli.waiting import heeding_signals

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable, Sequence

    Command = Callable[[argparse.Namespace, Output], Awaitable[Exit]]

ASKING: Final[dict[str, Command]] = {
    "jobs": looking.list_jobs,
    "show": looking.show_job,
    "runs": looking.list_runs,
    "stats": looking.show_stats,
    "check": looking.check_store,
    "verify": verifying.verify,
    "simulate": simulating.run_simulations,
    "pause": steering.pause_job,
    "resume": steering.resume_job,
    "run-now": steering.run_job_now,
    "remove": steering.remove_job,
    "cancel": steering.cancel_run,
    "next": forecasting.show_next,
}
STAYING: Final[dict[str, Command]] = {
    "run": serving.run,
    "watch": watching.watch,
    "demo": demo,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after the program's name; those of the process without it.

    Returns:
        The exit code, see `Exit`.
    """
    asked = parser_of_commands().parse_args(argv)
    out = Output(is_json=asked.json, is_debug=asked.debug)
    try:
        code = anyio.run(partial(_run, asked, out), backend=asked.backend)
        sys.stdout.flush()
    except BrokenPipeError:
        return _leave_quietly()
    except (Exception, KeyboardInterrupt, BaseExceptionGroup) as error:  # noqa: BLE001
        # The one place where an error becomes a line and a number.
        return _told(cause_of(error), out)
    return int(code)


async def _run(asked: argparse.Namespace, out: Output) -> Exit:
    if (command := STAYING.get(asked.command)) is not None:
        return await command(asked, out)
    code = Exit.INTERRUPTED
    with anyio.CancelScope() as scope:
        async with heeding_signals(scope.cancel):
            code = await ASKING[asked.command](asked, out)
    return code


def _told(error: BaseException, out: Output) -> int:
    if isinstance(error, BrokenPipeError):
        return _leave_quietly()
    if not isinstance(error, Exception | KeyboardInterrupt):
        raise error
    code = exit_of(error)
    if code is not Exit.INTERRUPTED:
        out.trouble(error)
    return int(code)


def _leave_quietly() -> int:
    """End like a program whose reader has seen enough, as `head` has."""
    # What is still buffered must go somewhere when the interpreter flushes it.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return int(Exit.DONE)
