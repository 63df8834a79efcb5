"""What a program that logs shows, with and without logging configured."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import logging
import anyio
from nvent_sched import Interval, Scheduler

{setup}

async def work():
    logging.getLogger("mine").warning("water is low")
    logging.getLogger("mine").info("nothing to see")

async def main():
    async with Scheduler("memory:") as scheduler:
        await scheduler.schedule(work, Interval(hours=1), id="w")
        run = await scheduler.wait_for(await scheduler.run_now("w"))
        print(*run.log, sep="\\n")

anyio.run(main, backend="{backend}")
"""


@pytest.mark.parametrize(
    ("setup", "shown"),
    [
        ("", "water is low\n"),
        ("logging.basicConfig(format='> %(message)s')", "> water is low\n"),
        ("logging.getLogger('mine').addHandler(logging.NullHandler())", ""),
    ],
    ids=["not configured", "configured", "silenced"],
)
def test_a_warning_is_shown_once_and_kept_with_the_run(
    setup: str, shown: str, anyio_backend: str
) -> None:
    done = subprocess.run(  # noqa: S603  our own text
        [sys.executable, "-c", PROGRAM.format(setup=setup, backend=anyio_backend)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stderr == shown
    assert done.stdout.splitlines() == ["WARNING mine: water is low"]


def test_logging_can_be_configured_while_a_scheduler_runs(anyio_backend: str) -> None:
    late = PROGRAM.replace(
        "        await scheduler.schedule",
        "        logging.basicConfig(format='> %(message)s', level=logging.INFO)\n"
        "        await scheduler.schedule",
    )
    done = subprocess.run(  # noqa: S603  our own text
        [sys.executable, "-c", late.format(setup="", backend=anyio_backend)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stderr == "> water is low\n> nothing to see\n"
    assert done.stdout.splitlines() == [
        "WARNING mine: water is low",
        "INFO mine: nothing to see",
    ]


@pytest.mark.parametrize(
    ("setup", "origin"),
    [
        ("", "WARNING nvent_sched._engine.verdicts: "),
        (
            "logging.basicConfig(level=logging.INFO)",
            "WARNING:nvent_sched._engine.verdicts:",
        ),
    ],
    ids=["not configured", "configured"],
)
def test_what_we_log_says_which_run_it_is_about(
    setup: str, origin: str, anyio_backend: str
) -> None:
    failing = PROGRAM.replace(
        'logging.getLogger("mine").warning("water is low")', "1 / 0"
    )
    done = subprocess.run(  # noqa: S603  our own text
        [sys.executable, "-c", failing.format(setup=setup, backend=anyio_backend)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stderr.startswith(f"{origin}run failed run_id=")
    assert "job_id=w attempt=1 error=ZeroDivisionError: division by zero" in done.stderr
    assert done.stderr.count("job_id=w") == done.stderr.count("\n") == 1
