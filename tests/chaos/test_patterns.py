"""Waits and locks of processes that are killed or stopped: the next goes on with the rest."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import anyio
import pytest

from nvent_sched import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvent_sched import JobSnapshot

SCRIPT: Final = Path(__file__).with_name("waiter.py")


class Waiter:
    """One process of `waiter.py`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def words(self) -> list[str]:
        """Read the next line it says."""
        return self._pipe(self.process.stdout).readline().split()

    def both(self) -> list[list[str]]:
        """Read the next two lines it says."""
        return [self.words(), self.words()]

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def let_go(self) -> None:
        """End its input, and wait for its end."""
        self._pipe(self.process.stdin).close()
        assert self.process.wait() == 0

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@pytest.fixture
def url(shared_url: str) -> str:
    return shared_url


@pytest.fixture
def start(url: str, setting: tuple[str, str]) -> Iterator[Callable[..., Waiter]]:
    """Start another process: role, seconds."""
    with ExitStack() as stack:

        def begin(role: str, seconds: float) -> Waiter:
            words = [url, setting[0], role, str(seconds)]
            process = subprocess.Popen(  # noqa: S603  our own words
                [sys.executable, "-W", "ignore", SCRIPT, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            waiter = Waiter(process)
            if role == "lock":
                assert waiter.words() == ["runs"]
            return waiter

        yield begin


def job_in(url: str) -> JobSnapshot:
    async def read() -> JobSnapshot:
        async with Scheduler(url, runs_handlers=False) as client:
            return await client.get_job("await:key")

    return anyio.run(read)


def test_who_was_killed_between_storing_and_waking_waits_only_for_the_rest(
    url: str, start: Callable[..., Waiter]
) -> None:
    first = start("sleep", 4)
    (_, stored) = first.words()
    first.kill()
    second, third = start("sleep", 3600), start("sleep", 7200)

    # A time that passed while it started is told first; either way it is this one.
    told = sorted([*second.both(), *third.both()])

    assert told == [["stored", stored]] * 2 + [["woken", stored, "False"]] * 2
    second.let_go()
    third.let_go()
    assert job_in(url).status == "finished"


def test_who_comes_back_after_its_time_does_not_wait(
    url: str, start: Callable[..., Waiter]
) -> None:
    first = start("sleep", 0.3)
    (_, stored) = first.words()
    first.kill()

    second = start("sleep", 3600)
    told = sorted(second.both())

    assert told == [["stored", stored], ["woken", stored, "False"]]
    second.let_go()
    assert job_in(url).status == "finished"


def test_a_lock_of_a_killed_process_goes_to_who_waits(
    start: Callable[..., Waiter],
) -> None:
    first = start("lock", 2)
    (_, token) = first.words()
    second = start("lock", 2)
    first.kill()

    (has, later) = second.words()

    assert has == "has"
    assert int(later) > int(token)
    second.let_go()


def test_a_process_that_was_stopped_has_lost_its_lock_and_has_the_older_token(
    start: Callable[..., Waiter],
) -> None:
    first = start("lock", 2)
    (_, token) = first.words()
    second = start("lock", 2)
    first.send(signal.SIGSTOP)

    (has, later) = second.words()
    first.send(signal.SIGCONT)
    (lost, old) = first.words()

    assert (has, lost, old) == ("has", "lost", token)
    assert int(later) > int(token)
    first.let_go()
    second.let_go()


def test_a_lock_that_is_held_is_kept_however_long(start: Callable[..., Waiter]) -> None:
    first = start("lock", 1.5)
    (_, token) = first.words()
    second = start("lock", 1.5)
    with pytest.raises(subprocess.TimeoutExpired):
        second.process.wait(timedelta(seconds=3).total_seconds())
    first.let_go()

    (_, later) = second.words()

    assert int(later) > int(token)
    second.let_go()
