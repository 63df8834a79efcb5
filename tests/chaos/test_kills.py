"""Instances are killed at random on one file: nothing twice, and nothing forgotten.

The handlers keep a ledger of their own beside the store: what it says of each occurrence
is compared with what the store says.
"""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import pytest

from nvent_sched import Outcome, Scheduler
from nvent_sched.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvent_sched import RunSnapshot

NODE: Final = Path(__file__).with_name("node.py")
NODES: Final = 3
KILLS: Final = 12
PATIENCE_S: Final = 20
STEPS: Final = {"second": timedelta(seconds=1), "two": timedelta(seconds=2)}
STEP: Final = timedelta(milliseconds=200)


class Nodes:
    """The instances that live, and the pipe that tells when one of their runs began."""

    def __init__(self, folder: Path, *, backend: str) -> None:
        self.url, self.ledger = f"sqlite:///{folder}/jobs.db", folder / "ledger"
        self._backend = backend
        self._reading, self._writing = os.pipe()
        self.living: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        words = [self.url, str(self.ledger), str(self._writing), self._backend]
        node = subprocess.Popen(  # noqa: S603  our own words
            [sys.executable, str(NODE), *words],
            pass_fds=[self._writing],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.living.append(node)

    def until_ready(self, node: subprocess.Popen[str]) -> None:
        assert node.stdout is not None
        assert node.stdout.readline() == "ready\n"

    def kill(self, node: subprocess.Popen[str]) -> None:
        self.living.remove(node)
        node.kill()
        node.communicate()

    def until_began(self, count: int) -> None:
        """Wait until that many more runs began."""
        while count:
            is_readable, _, _ = select.select([self._reading], [], [], PATIENCE_S)
            assert is_readable, "nothing runs any more"
            count -= len(os.read(self._reading, count))

    def stop(self) -> list[int]:
        """Stop in order what lives; give the exit codes."""
        for node in self.living:
            assert node.stdin is not None
            node.stdin.close()
        return [node.wait() for node in self.living]

    def close(self) -> None:
        for node in self.living:
            node.kill()
            if node.stdin is not None and node.stdin.closed:
                node.stdin = None
            node.communicate()
        os.close(self._reading)
        os.close(self._writing)


@pytest.fixture
def nodes(tmp_path: Path, anyio_backend: str) -> Iterator[Nodes]:
    nodes = Nodes(tmp_path, backend=anyio_backend)
    try:
        yield nodes
    finally:
        nodes.close()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger: one attempt that began."""

    fence: int
    attempt: int
    origin: str


Ledger = dict[tuple[str, datetime], list[Entry]]


def read_ledger(path: Path) -> Ledger:
    entries: Ledger = defaultdict(list)
    for line in path.read_text().splitlines():
        job_id, scheduled, fence, attempt, origin = line.split()
        at = datetime.fromisoformat(scheduled)
        entries[job_id, at].append(Entry(int(fence), int(attempt), origin))
    return entries


async def read_history(url: str) -> dict[str, list[RunSnapshot]]:
    """Read every record, by job."""
    records: dict[str, list[RunSnapshot]] = defaultdict(list)
    async with Scheduler(url, runs_handlers=False) as client:
        page = await client.runs(limit=10_000)
        while True:
            for run in page:
                records[run.job_id].append(run)
            if page.next is None:
                return records
            page = await client.runs(limit=10_000, after=page.next)


def occurrences_of(records: list[RunSnapshot], step: timedelta) -> list[datetime]:
    """List what the records stand for, each occurrence as often as it is there."""
    return sorted(
        run.scheduled_time + number * step
        for run in records
        for number in range(run.count)
    )


def make_trouble(nodes: Nodes, chance: random.Random) -> None:
    """Start all, kill some again and again, leave all running."""
    for _ in range(NODES):
        nodes.start()
    nodes.until_ready(nodes.living[0])
    for _ in range(KILLS):
        nodes.until_began(chance.randint(1, 150))
        for node in chance.sample(nodes.living, chance.choice([1, 1, 1, 2])):
            nodes.kill(node)
            nodes.start()
    for node in nodes.living:
        nodes.until_ready(node)
    # Two heartbeats and more: what the last kill left behind has been taken over.
    nodes.until_began(700)


@pytest.mark.timeout(120)
def test_whoever_is_killed_each_occurrence_is_claimed_once_and_has_a_record(
    nodes: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  shown if it fails

    make_trouble(nodes, random.Random(seed))  # noqa: S311  no secret
    codes = nodes.stop()

    assert codes == [0] * NODES
    ledger, history = read_ledger(nodes.ledger), anyio.run(read_history, nodes.url)
    assert len(history) == 62
    assert any(len(began) > 1 for began in ledger.values()), "nothing was recovered"
    for job_id, records in history.items():
        step = STEPS.get(job_id, STEP)
        times = occurrences_of(records, step)
        assert {b - a for a, b in pairwise(times)} <= {step}, f"a gap in {job_id}"
        by_time = {run.scheduled_time: run for run in records}
        for run in records:
            began = ledger.get((job_id, run.scheduled_time), [])
            check_attempts(run, began)
        noted = {at for name, at in ledger if name == job_id}
        assert noted <= by_time.keys(), "the store knows nothing of a run"
    assert main(["check", "--store", nodes.url]) == 0, capsys.readouterr().out


def check_attempts(run: RunSnapshot, began: list[Entry]) -> None:
    """Compare what the store says of a run with the ledger."""
    fences = [entry.fence for entry in began]
    assert fences == sorted(set(fences)), f"{run.id}: one claim acted on twice: {began}"
    again = began[1:]
    assert all(e.attempt > 1 and e.origin == "recovery" for e in again), run.id
    if run.outcome is Outcome.SUCCEEDED:
        assert began, f"{run.id}: it succeeded and nobody ran it"
        assert run.fencing_token == fences[-1], run.id
    if run.outcome in {Outcome.MISSED, Outcome.SKIPPED_OVERLAP}:
        assert not began, f"{run.id}: it was skipped and ran"
    assert run.state in {"finished", "ready", "waiting"}, f"{run.id} is {run.state}"
