"""Instances under fire on each kind of store: nothing twice, and nothing forgotten.

They are killed and paused at random, a job takes its instance with it each time, and the
server forgets its scripts, is out of memory, is killed and comes back. Half of them run on the other loop, and in another
interpreter (an earlier release, say) where `NVENT_SCHED_OTHER_PYTHON` names one.
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import pytest

from nvent_sched import OneTime, Scheduler
from nvent_sched._model.instants import SECOND_US
from nvent_sched.cli import main
from nvent_sched.testing.simulator.losing import QUIET_US
from tests.chaos.judging import POISON, POISON_CRASHES, RECOVERY_US, judge
from tests.chaos.troubles import CLOCK, Troubles
from tests.conftest import BINARIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Server

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(170)]
NODE: Final = Path(__file__).with_name("node.py")
PYTHONS: Final = (
    sys.executable,
    os.environ.get("NVENT_SCHED_OTHER_PYTHON", sys.executable),
)
JOBS: Final = 62
NODES: Final = {"sqlite": 3, "valkey": 4, "redis": 4}
KILLS: Final = 10
PATIENCE_S: Final = 30
PAUSE_S: Final = 5
"""Longer than a silent instance is taken for alive."""
SQUEEZE_S: Final = 1
CALM_US: Final = 2 * SECOND_US
"""How long nothing is wrong in the end: most runs are on time then."""


class Nodes:
    """The instances that live, and the pipe that tells when one of their runs began.

    Attributes:
        paused: The processes that stood still for longer than others believe in them.
        troubles: What was done to them and to the server.
    """

    def __init__(self, url: str, ledger: Path) -> None:
        self.url, self.ledger = url, ledger
        self._kinds = cycle(zip(PYTHONS, ("asyncio", "trio"), strict=True))
        self._reading, self._writing = os.pipe()
        self.living: list[subprocess.Popen[str]] = []
        self.paused: set[int] = set()
        self.troubles = Troubles()
        self._ready: set[int] = set()

    def start(self) -> None:
        python, backend = next(self._kinds)
        words = [self.url, str(self.ledger), str(self._writing), backend]
        node = subprocess.Popen(  # noqa: S603  our own words
            [python, "-W", "ignore", str(NODE), *words],
            pass_fds=[self._writing],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.living.append(node)

    def start_all(self, count: int) -> None:
        """Start so many at once, and wait until they run."""
        with self.troubles.during(recovery_us=0):
            for _ in range(count):
                self.start()
            for node in self.living:
                self.until_ready(node)

    def until_ready(self, node: subprocess.Popen[str]) -> None:
        if node.pid in self._ready:
            return  # it says so once
        self._ready.add(node.pid)
        assert node.stdout is not None
        assert node.stdout.readline() in {"ready\n", ""}, (
            "it runs, or was killed at once"
        )

    def kill(self, node: subprocess.Popen[str]) -> None:
        self.living.remove(node)
        with self.troubles.during(recovery_us=RECOVERY_US):
            node.kill()
            node.communicate()

    def revive(self) -> None:
        """Start others in place of those that a job took with it."""
        for node in [each for each in self.living if each.poll() is not None]:
            self.kill(node)
            self.start()

    def until_began(self, count: int, *, patience_s: float) -> bool:
        """Wait until that many more runs began; say whether they did in time."""
        while count > 0:
            is_readable, _, _ = select.select([self._reading], [], [], patience_s)
            if not is_readable:
                return False
            count -= len(os.read(self._reading, count))
        return True

    def go_on(self, count: int) -> bool:
        """Wait until that many more runs began, and start again who could not start.

        A server without memory, or none, lets no instance start; its supervisor would.
        """
        for _ in range(PATIENCE_S):
            if self.until_began(count, patience_s=1):
                return True
            self.revive()
        return False

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


@pytest.fixture(params=NODES)
def kind(request: pytest.FixtureRequest) -> str:
    """Choose a kind of store."""
    chosen: str = request.param
    if BINARIES.get(chosen, "none is needed") is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"there is no {chosen}-server")
        pytest.skip(f"there is no {chosen}-server on this machine")
    return chosen


@pytest.fixture
def server(kind: str, new_server: Callable[..., Server]) -> Iterator[Server | None]:
    """A server that forgets nothing when it is killed; None for a file."""
    if kind == "sqlite":
        yield None
        return
    started = new_server(kind, "--appendonly", "yes", "--appendfsync", "always")
    yield started
    started.kill()


@pytest.fixture
def nodes(server: Server | None, tmp_path: Path) -> Iterator[Nodes]:
    url = f"sqlite:///{tmp_path}/jobs.db" if server is None else server.url
    nodes = Nodes(url, tmp_path / "ledger")
    yield nodes
    nodes.close()


async def add_poison(url: str) -> None:
    """Store a job that takes its instance with it."""
    async with Scheduler(url, runs_handlers=False) as client:
        soon = OneTime(in_=timedelta(seconds=1))
        await client.schedule(POISON, soon, id=POISON, max_crashes=POISON_CRASHES)


async def is_over(url: str) -> bool:
    """Say whether the job that takes its instance with it is a dead letter."""
    async with Scheduler(url, runs_handlers=False) as client:
        return bool((await client.stats(POISON)).runs)


def pause(nodes: Nodes, server: Server | None, chance: random.Random) -> None:
    """Stop a process for so long that others take over, then let it go on."""
    del server
    node = chance.choice(nodes.living)
    nodes.paused.add(node.pid)
    with (
        suppress(ProcessLookupError),
        nodes.troubles.during(recovery_us=RECOVERY_US),
    ):
        node.send_signal(signal.SIGSTOP)
        try:
            nodes.until_began(1_500, patience_s=PAUSE_S)
        finally:
            node.send_signal(signal.SIGCONT)


def squeeze(nodes: Nodes, server: Server | None, chance: random.Random) -> None:
    """Leave the server no memory for a while, and make it forget its scripts."""
    del chance
    if server is not None:
        with (
            nodes.troubles.during(recovery_us=RECOVERY_US),
            server.client() as client,
        ):
            client.script_flush()
            client.config_set("maxmemory", 1)
            nodes.until_began(1_000, patience_s=SQUEEZE_S)
            client.config_set("maxmemory", 0)


def restart(nodes: Nodes, server: Server | None, chance: random.Random) -> None:
    """Kill the server; it comes back with what it had written down."""
    del chance
    if server is not None:
        with nodes.troubles.during(recovery_us=QUIET_US + RECOVERY_US):
            server.kill()
            server.start()


TROUBLE: Final = {3: pause, 5: squeeze, 7: restart}
"""What happens besides the kills, and when."""


def make_trouble(
    nodes: Nodes, server: Server | None, chance: random.Random, *, count: int
) -> None:
    """Start all, make trouble again and again, leave all running."""
    nodes.start_all(count)
    anyio.run(add_poison, nodes.url)
    for turn in range(KILLS):
        assert nodes.go_on(chance.randint(1, 150)), "nothing runs any more"
        for node in chance.sample(nodes.living, chance.choice([1, 1, 1, 2])):
            nodes.kill(node)
            nodes.start()
        nodes.revive()
        if (trouble := TROUBLE.get(turn)) is not None:
            trouble(nodes, server, chance)
    while not anyio.run(is_over, nodes.url):
        assert nodes.go_on(100), "nothing runs any more"
        nodes.revive()
    for node in nodes.living:
        nodes.until_ready(node)
    # Two heartbeats and more: what the last kill left behind has been taken over.
    assert nodes.go_on(1_500), "nothing runs any more"
    calm_until = nodes.troubles.over_at + CALM_US
    while CLOCK.now() < calm_until:
        assert nodes.go_on(100), "nothing runs any more"


def test_whatever_happens_each_occurrence_is_claimed_once_and_has_a_record(
    kind: str,
    nodes: Nodes,
    server: Server | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  shown if it fails

    make_trouble(nodes, server, random.Random(seed), count=NODES[kind])  # noqa: S311
    codes = nodes.stop()

    assert codes == [0] * NODES[kind]
    url, ledger, paused, troubles = (
        nodes.url,
        nodes.ledger,
        nodes.paused,
        nodes.troubles,
    )
    anyio.run(
        lambda: judge(url, ledger, jobs=JOBS + 1, paused=paused, troubles=troubles)
    )
    assert main(["check", "--store", nodes.url]) == 0, capsys.readouterr().out
    assert main(["verify", "--store", nodes.url]) == 0, capsys.readouterr().out
