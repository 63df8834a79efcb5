"""The demo with three processes: one is killed, and the others take over."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import anyio
import pytest

from nvent_sched import OneTime, Scheduler
from nvent_sched.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvent_sched import RunSnapshot
    from tests.conftest import Server


REPORTS: Final = 8


class Demo:
    """The demo as a newcomer starts it.

    Attributes:
        said: What it said so far.
    """

    def __init__(self, *words: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own words
            [sys.executable, "-W", "ignore", "-m", "nvent_sched", "demo", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.said = ""

    def read_until(self, pattern: str) -> tuple[str, ...]:
        """Read until it has said so; give the groups."""
        assert self._process.stdout is not None
        while (found := re.search(pattern, self.said, re.DOTALL)) is None:
            line = self._process.stdout.readline()
            assert line, f"it ended: {self.said}"
            self.said += line
        return found.groups()

    def stop(self) -> int:
        """Interrupt it, read the rest, and give its exit code."""
        self._process.send_signal(signal.SIGINT)
        out, _ = self._process.communicate()
        self.said += out
        return self._process.returncode

    def close(self) -> None:
        # Interrupted, it takes its companions with it.
        if self._process.poll() is None:
            self.stop()


@pytest.fixture
def url(servers: Callable[[str], Server]) -> str:
    return servers("valkey").url


@pytest.fixture
def demo(url: str) -> Iterator[Demo]:
    started = Demo("--store", url, "--instances", "3")
    yield started
    started.close()


async def add_reports(url: str) -> None:
    """Store long runs that are due one after the other: each instance has one to lose."""
    async with Scheduler(url, runs_handlers=False) as client:
        for number in range(REPORTS):
            soon = OneTime(in_=timedelta(milliseconds=200 * number))
            await client.schedule("report", soon, id=f"report{number}")


async def read_runs(url: str) -> list[RunSnapshot]:
    async with Scheduler(url, runs_handlers=False) as client:
        return list(await client.runs(limit=1_000))


@pytest.mark.once
@pytest.mark.timeout(100)
def test_three_processes_share_the_jobs_and_outlive_one(demo: Demo, url: str) -> None:
    demo.read_until("instance started .*instance started ")
    anyio.run(add_reports, url)
    killed, doing = demo.read_until(r"killed instance (\S+) while it was doing (\S+)")
    (died,) = demo.read_until(r"instance died (\S+)")
    taken_over = rf"{doing} +run recovered instance {killed} died with it"
    demo.read_until(rf"{taken_over}.* {doing} +started")
    code = demo.stop()

    assert code == 0
    assert died == killed
    assert "in this session" in demo.said
    runs = anyio.run(read_runs, url)
    assert len({run.instance for run in runs if run.crashes == 0} - {None}) > 1
    again = [run for run in runs if run.crashes]
    assert again
    assert killed not in {run.instance for run in again}


def test_processes_cannot_share_what_is_in_one_of_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--store", "memory:", "--instances", "3"]) != 0
    assert "cannot share" in capsys.readouterr().err
