"""Processes that are killed at their work: the others raise its alarm, and deliver, once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import pytest
from anyio.to_thread import run_sync

from nvent_sched import Scheduler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

SCRIPT: Final = Path(__file__).with_name("worker.py")
WORK: Final = 20
FIRES: Final = 30


class Worker:
    """One process of `worker.py`, which is ready."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        word, self.instance_id = process.stdout.readline().split()
        assert word == "ready"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def said(self) -> list[list[str]]:
        """End its input, and read what it said until its end."""
        out, _ = self._process.communicate()
        return [line.split() for line in out.splitlines()]


@pytest.fixture
def url(shared_url: str) -> str:
    return shared_url


@pytest.fixture
def start(url: str, setting: tuple[str, str]) -> Iterator[Callable[[str], Worker]]:
    with ExitStack() as stack:

        def begin(role: str) -> Worker:
            process = subprocess.Popen(  # noqa: S603  our own words
                [sys.executable, "-W", "ignore", SCRIPT, url, setting[0], role],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return Worker(process)

        yield begin


def look_until(url: str, is_so: Callable[[Scheduler], Awaitable[bool]]) -> None:
    """Look on until something is so."""
    patience = threading.Event()

    async def look() -> None:
        async with Scheduler(url, runs_handlers=False) as client:
            while not await is_so(client):
                await run_sync(patience.wait, 0.05)

    anyio.run(look)


def test_the_alarm_for_work_of_a_killed_process_is_raised_once(
    url: str, start: Callable[[str], Worker]
) -> None:
    lookers = [start("look"), start("look")]
    doomed = start("work")
    doomed.kill()

    async def are_all_raised(client: Scheduler) -> bool:
        stalled = (await client.watchdogs(state="stalled")).items
        ended = [(await client.stats(each.job_id)).runs for each in stalled]
        return ended == [1] * WORK

    look_until(url, are_all_raised)
    alarms = [words for looker in lookers for words in looker.said()]

    assert Counter(key for _, key, _, _ in alarms) == Counter(
        f"w{number}" for number in range(WORK)
    )
    assert {owner for _, _, owner, _ in alarms} == {doomed.instance_id}
    assert {attempt for *_, attempt in alarms} == {"1"}


def test_what_a_process_had_fired_when_it_was_killed_is_delivered_once(
    url: str, start: Callable[[str], Worker]
) -> None:
    start("fire")
    looker = start("look")

    async def are_all_delivered(client: Scheduler) -> bool:
        (trigger,) = await client.triggers()
        return trigger.delivered >= FIRES

    look_until(url, are_all_delivered)
    heard = Counter(number for _, number in looker.said())

    async def read(client: Scheduler) -> bool:
        runs = await client.runs("on:t:hear", limit=10 * FIRES)
        assert {run.outcome for run in runs} == {"succeeded"}
        assert sorted(run.args[0] for run in runs) == list(range(FIRES))
        return True

    look_until(url, read)
    assert set(heard.values()) <= {1}
