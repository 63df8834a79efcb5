"""The command line as a process: signals, pipes, no terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing
from typing import IO, TYPE_CHECKING, Final

import pytest

from nvent_sched.cli import main
from tests.lines import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Server

APP: Final = """
import sys
from contextlib import closing
import anyio
from nvent_sched import Interval, Scheduler

scheduler = Scheduler()

@scheduler.job(Interval(hours=6), id="patient")
def patient():
    print("patient began", flush=True)
    sys.stdin.readline()
    print("patient ended", flush=True)

@scheduler.job(Interval(hours=6), id="endless")
async def endless():
    print("endless began", flush=True)
    while True:
        await anyio.sleep(0.3)
        print("endless goes on", flush=True)
"""


FAILING: Final = """
from nvent_sched import Interval, Scheduler

scheduler = Scheduler()

@scheduler.job(Interval(milliseconds=50))
async def brittle():
    raise ConnectionError
"""


COLLECTING: Final = """
import gc
import sys
from nvent_sched import Interval, Scheduler

gc.set_threshold({})
scheduler = Scheduler()

@scheduler.job(Interval(milliseconds=50))
def tell():
    is_frozen = gc.get_freeze_count() > 0
    # In one piece: others write into the same pipe.
    sys.stdout.write(f"from {{gc.get_threshold()[0]}} on, frozen: {{is_frozen}}\\n")
    sys.stdout.flush()
"""


class Process:
    """A command that runs, and what it has said so far."""

    def __init__(self, words: list[str], *, folder: Path) -> None:
        self.said = ""
        self.process = subprocess.Popen(  # noqa: S603  our own words
            [sys.executable, "-m", "nvent_sched", *words],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def output(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def read_until(self, pattern: str) -> None:
        """Read lines until one matches."""
        for line in self.output:
            self.said += line
            if re.search(pattern, line):
                return
        pytest.fail(f"it ended before it said {pattern!r}:\n{self.said}")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def go_on_for_a_while(self) -> None:
        """Read until more than half a second has passed, by what "endless" says."""
        for _ in range(3):
            self.read_until("endless goes on")

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def ended(self) -> int:
        """Read to its end; give its exit code."""
        self.said += self.output.read()
        return self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/jobs.db"


@pytest.fixture
def running(tmp_path: Path, store: str, anyio_backend: str) -> Iterator[Process]:
    """An application that runs until a signal comes."""
    (tmp_path / "app.py").write_text(APP)
    words = ["run", "app:scheduler", "--store", store, "--backend", anyio_backend]
    process = Process(words, folder=tmp_path)
    try:
        process.read_until("running 2 jobs from sqlite:///")
        yield process
    finally:
        process.close()


def runs_of(store: str, job: str, capsys: pytest.CaptureFixture[str]) -> list[object]:
    capsys.readouterr()
    main(["runs", job, "--store", store, "--json"])
    return [
        (run["state"], run["outcome"], run["attempt"])
        for run in json.loads(capsys.readouterr().out)["runs"]
    ]


def test_sigterm_lets_a_run_end_and_leaves_with_0(
    running: Process, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run-now", "patient", "--store", store])
    running.read_until("patient began")

    running.signal(signal.SIGTERM)
    running.read_until("stopping: runs may end")
    running.say("go on")

    assert running.ended() == 0
    assert "patient ended" in running.said
    assert runs_of(store, "patient", capsys) == [("finished", "succeeded", 1)]


def test_a_second_signal_stops_at_once_and_gives_the_run_back(
    running: Process, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run-now", "endless", "--store", store])
    running.read_until("endless began")

    running.signal(signal.SIGINT)
    running.read_until("stopping: runs may end")
    running.go_on_for_a_while()
    running.signal(signal.SIGINT)

    assert running.ended() == 130
    assert "stopping at once" in running.said
    assert "Traceback" not in running.said
    assert runs_of(store, "endless", capsys) == [("ready", None, 2)]


def test_a_signal_that_comes_twice_at_once_is_one(
    running: Process, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run-now", "patient", "--store", store])
    running.read_until("patient began")

    running.signal(signal.SIGTERM)
    running.signal(signal.SIGINT)  # two of a kind may reach a process as one
    running.read_until("stopping: runs may end")
    running.signal(signal.SIGTERM)
    running.say("go on")

    assert running.ended() == 0
    assert "stopping at once" not in running.said
    assert runs_of(store, "patient", capsys) == [("finished", "succeeded", 1)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_gives_up_a_start_that_hangs(
    tmp_path: Path, anyio_backend: str, number: signal.Signals
) -> None:
    (tmp_path / "app.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0?timeout=600"
        words = ["run", "app:scheduler", "--store", url, "--backend", anyio_backend]
        with closing(Process(words, folder=tmp_path)) as process:
            called, _ = silent.accept()

            process.signal(number)

            with closing(called):
                assert process.ended() == 130
    assert process.said == ""


def test_a_second_signal_waits_for_no_server_that_fell_silent(
    tmp_path: Path, anyio_backend: str, servers: Callable[[str], Server]
) -> None:
    (tmp_path / "app.py").write_text(APP)
    server = servers("valkey")
    with closing(Line(server.port)) as line:
        server_url = server.url
        url = server_url.replace(f":{server.port}/", f":{line.port}/")
        words = ["run", "app:scheduler", "--store", f"{url}&timeout=600"]
        words += ["--backend", anyio_backend]
        with closing(Process(words, folder=tmp_path)) as process:
            process.read_until("running 2 jobs from redis://")
            main(["run-now", "endless", "--store", server_url])
            process.read_until("endless began")
            line.fall_silent()

            process.signal(signal.SIGTERM)
            process.read_until("stopping: runs may end")
            process.go_on_for_a_while()
            process.signal(signal.SIGTERM)

            assert process.ended() == 130
    assert "the store does not answer" in process.said


def test_a_run_can_be_waited_for_from_another_process(
    running: Process, store: str
) -> None:
    running.say("no need to wait")

    assert main(["run-now", "patient", "--store", store, "--wait", "15"]) == 0


def test_the_log_says_which_run_failed(tmp_path: Path, store: str) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    process = Process(["run", "failing", "--store", store], folder=tmp_path)

    process.read_until("WARNING .*: run failed .*run_id=brittle@")

    process.close()


@pytest.mark.parametrize(
    ("own", "found"), [(700, 10_000), (50_000, 50_000), (0, 0)], ids=str
)
def test_the_garbage_collector_looks_at_little_and_seldom(
    tmp_path: Path, store: str, own: int, found: int
) -> None:
    (tmp_path / "app.py").write_text(COLLECTING.format(own))
    process = Process(["run", "app", "--store", store], folder=tmp_path)

    process.read_until("frozen")

    process.close()
    assert f"from {found} on, frozen: True" in process.said


def test_a_blocking_scheduler_is_run_as_well(tmp_path: Path, store: str) -> None:
    plain = APP.replace("Scheduler", "BlockingScheduler")
    (tmp_path / "app.py").write_text(plain)
    words = ["run", "app:scheduler", "--store", store]
    with closing(Process(words, folder=tmp_path)) as process:
        process.read_until("running 2 jobs from sqlite:///")
        process.process.send_signal(signal.SIGTERM)

        assert process.ended() == 0


def test_a_module_that_breaks_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise KeyError('settings')")
    process = Process(["run", "broken"], folder=tmp_path)

    code = process.ended()

    process.close()
    assert code == 2
    assert process.said == (
        "nvent-sched: module 'broken' cannot be imported: KeyError: 'settings'\n"
    )


@pytest.mark.parametrize("target", ["app", "app:scheduler"])
def test_a_module_without_a_scheduler_of_that_name_is_told_the_form(
    tmp_path: Path, target: str
) -> None:
    (tmp_path / "app.py").write_text("import nvent_sched")
    process = Process(["run", target], folder=tmp_path)

    code = process.ended()

    process.close()
    assert code == 2
    assert process.said == (
        "nvent-sched: 'scheduler' in module 'app' is nothing, not a Scheduler; write "
        "app:NAME, with the name of the variable that holds one\n"
    )


def test_a_scheduler_with_a_store_of_its_own_refuses_another(
    tmp_path: Path, store: str
) -> None:
    text = "import nvent_sched\nscheduler = nvent_sched.Scheduler('sqlite:///own.db')"
    (tmp_path / "own.py").write_text(text)
    process = Process(["run", "own", "--store", store], folder=tmp_path)

    code = process.ended()

    process.close()
    assert code == 2
    assert "has a store of its own, sqlite:///own.db" in process.said


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody_reads:
        ran = subprocess.run(
            [sys.executable, "-m", "nvent_sched", "next", "* * * * *"],
            check=False,
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            stdout=nobody_reads,
            text=True,
        )

    assert (ran.returncode, ran.stderr) == (0, "")


def test_no_colour_and_no_live_display_without_a_terminal(
    tmp_path: Path, running: Process, store: str
) -> None:
    shown = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-m", "nvent_sched", "watch", "--store", store],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        env={**os.environ, "NO_COLOR": "1"},
        text=True,
    )

    running.signal(signal.SIGTERM)
    assert running.ended() == 0
    assert "patient" in shown.stdout
    assert "\x1b" not in shown.stdout
