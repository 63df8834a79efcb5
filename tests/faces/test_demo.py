"""The newcomer's first command, as a process: it fires, stops, and survives kill -9."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import closing, suppress
from typing import IO, TYPE_CHECKING, Any

import anyio
import pytest

from nvent_sched import Interval, Scheduler
from nvent_sched.cli import main

if TYPE_CHECKING:
    from pathlib import Path

LONG = pytest.mark.timeout(60)  # it waits for real seconds to pass


class Demo:
    """A demo that runs on `demo.db`, and what it has said so far."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.said = ""
        self.process = subprocess.Popen(  # noqa: S603  our own words
            [sys.executable, "-m", "nvent_sched", "demo", "--store", URL, *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def output(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def read_until(self, pattern: str) -> None:
        for line in self.output:
            self.said += line
            if re.search(pattern, line):
                return
        pytest.fail(f"it ended before it said {pattern!r}:\n{self.said}")

    def ended(self) -> int:
        self.said += self.output.read()
        return self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


URL = "sqlite:///demo.db"


def asked(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    *words: str,
) -> Any:  # noqa: ANN401  JSON
    capsys.readouterr()
    assert main([*words, "--json", "--store", f"sqlite:///{folder}/demo.db"]) == 0
    return json.loads(capsys.readouterr().out)


@LONG
def test_the_demo_fires_its_jobs_and_stops_by_itself(
    tmp_path: Path, anyio_backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Demo(tmp_path, "--seconds", "7", "--backend", anyio_backend)) as demo:
        code = demo.ended()

    assert code == 0, demo.said
    stats = asked(tmp_path, capsys, "stats")
    jobs = {job["id"] for job in asked(tmp_path, capsys, "jobs")["jobs"]}
    assert jobs == {
        "daily-cleanup",
        "flaky-import",
        "reminder",
        "report",
        "stall-detection",
    }
    assert stats["counts"]["succeeded"] >= 2
    assert "the worker lives" in demo.said
    assert "drink some water" in demo.said
    assert "start anew" in demo.said
    assert [path.name for path in tmp_path.iterdir()] == ["demo.db"]


@LONG
def test_a_demo_that_is_killed_takes_its_lost_run_up_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Demo(tmp_path)) as killed:
        killed.read_until("report .*started")
        killed.process.send_signal(signal.SIGKILL)
        assert killed.ended() == -signal.SIGKILL

    with closing(Demo(tmp_path)) as resumed:
        resumed.read_until("succeeded")
        resumed.process.send_signal(signal.SIGINT)
        assert resumed.ended() == 0, resumed.said

    assert "resumed from demo.db: " in resumed.said
    assert f"process {killed.process.pid} died without a word" in resumed.said
    # The report's, and perhaps another that was claimed a moment ahead.
    lost = r"\d runs? (was|were) lost with the killed process and \1 taken up again"
    assert re.search(lost, resumed.said)
    (report,) = asked(tmp_path, capsys, "runs", "report")["runs"]
    assert report["origin"] == "recovery"
    assert report["crashes"] == 1
    assert report["attempts"][0]["outcome"] == "lost"


@LONG
def test_a_file_that_a_demo_runs_on_is_not_made_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/demo.db"
    with closing(Demo(tmp_path)) as demo:
        demo.read_until("started")

        code = main(["demo", "--fresh", "--seconds", "1", "--store", url])

    assert code == 2
    assert f"is in use by process {demo.process.pid}" in capsys.readouterr().err


@LONG
def test_a_demo_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    with closing(Demo(tmp_path, "--seconds", "5")) as first:
        assert first.ended() == 0
    with closing(Demo(tmp_path, "--seconds", "1")) as second:
        assert second.ended() == 0
    with closing(Demo(tmp_path, "--seconds", "1", "--fresh")) as fresh:
        assert fresh.ended() == 0

    given_back = "given back, to be taken up at the next start: report"
    assert given_back in first.said, first.said
    assert re.search(r"resumed from demo\.db: [1-9]", second.said)
    assert "report was given back at the last stop" in second.said, second.said
    assert "resumed from" not in fresh.said


def test_the_demo_as_json_is_one_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/demo.db"

    code = main(["demo", "--seconds", "0.2", "--json", "--store", url])

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["store"] == url
    assert len(document["snapshot"]["jobs"]) == 5


async def put_a_job(url: str) -> None:
    async with Scheduler(url) as scheduler:
        await scheduler.schedule("mine", Interval(hours=6), id="mine")


def test_the_demo_leaves_a_store_of_other_jobs_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/mine.db"
    anyio.run(put_a_job, url)

    code = main(["demo", "--fresh", "--seconds", "1", "--store", url])

    assert code == 2
    assert "holds jobs that are not the demo's ('mine')" in capsys.readouterr().err
    assert main(["show", "mine", "--store", url]) == 0


def drawn_on_a_terminal(words: list[str], *, folder: Path, until: str) -> str:
    """Run a command on a terminal, interrupt it once it has drawn *until*."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603  our own words
        [sys.executable, "-m", "nvent_sched", *words, "--store", URL],
        cwd=folder,
        env={**os.environ, "COLUMNS": "110", "LINES": "40", "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    drawn = ""
    try:
        while until not in drawn:
            drawn += os.read(ours, 65_536).decode(errors="replace")
        process.send_signal(signal.SIGINT)
        with suppress(OSError):  # the way a terminal says that nobody is left
            while more := os.read(ours, 65_536):
                drawn += more.decode(errors="replace")
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return drawn


@LONG
def test_on_a_terminal_the_demo_and_watch_draw_a_live_picture(tmp_path: Path) -> None:
    demo = drawn_on_a_terminal(["demo"], folder=tmp_path, until=" of 20")
    again = drawn_on_a_terminal(["demo"], folder=tmp_path, until="resumed from")
    watch = drawn_on_a_terminal(["watch"], folder=tmp_path, until="stall-detection")

    assert "5 jobs" in demo
    assert "Every 10 seconds" in demo
    assert "start anew" in demo
    assert "report was given back at the last stop" in again
    assert "nobody runs handlers" in watch
