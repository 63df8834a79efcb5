"""The demo with three processes: one is killed, and the others take over."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nvent_sched.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Server


@pytest.mark.once
@pytest.mark.timeout(60)
def test_three_processes_share_the_jobs_and_outlive_one(
    servers: Callable[[str], Server],
) -> None:
    words = ["demo", "--store", servers("valkey").url, "--instances", "3"]
    with subprocess.Popen(  # noqa: S603  our own words
        [sys.executable, "-W", "ignore", "-m", "nvent_sched", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        said = ""
        for pattern in (r"killed instance (\S+)", r"instance died (\S+)"):
            for line in demo.stdout:
                said += line
                if re.search(pattern, line):
                    break
        demo.send_signal(signal.SIGINT)
        said += demo.stdout.read()

    assert demo.returncode == 0
    assert said.count("instance started") == 2
    killed = re.findall(r"killed instance (\S+)", said)
    assert killed == re.findall(r"instance died (\S+)", said)
    assert "in this session" in said


def test_processes_cannot_share_what_is_in_one_of_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--store", "memory:", "--instances", "3"]) != 0
    assert "cannot share" in capsys.readouterr().err
