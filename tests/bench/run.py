"""Measure ours beside its peers and the limits, interleaved in one run: `nox -s bench`.

Machines are noisy: each round runs every subject once, in processes of its own; a table
shows medians with their range, and what counts are the ratios within one run.
`nox -s bench -- fires wake --rounds 1` for some scenarios alone, `--only nvent BullMQ` for
some subjects, `--share 0.1` for fewer jobs, `--out FILE` for JSON lines.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from scenarios import SCENARIOS
from stage import FailedError, Stage
from stores import DURABILITY, MissingError, opened, server_binary
from subjects import SUBJECTS
from tables import table_of

if TYPE_CHECKING:
    from scenarios import Scenario
    from subjects import Subject

FAILOVER: Final = ("replicas-follow", "replicas-lag-1s", "replicas-lag-1s-waited-for")


def machine() -> dict[str, Any]:
    """Say where this is measured, and with what."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    names = [line for line in text.splitlines() if line.startswith("model name")]
    server = subprocess.run(  # noqa: S603  our own words
        [server_binary(), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": names[0].partition(": ")[2] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "server": " ".join(server.split()[:3]),
        "load": os.getloadavg()[0],
        "durability": DURABILITY,
    }


def measure(scenario: Scenario, subject: Subject, share: float) -> dict[str, Any]:
    """Measure one subject once, on a store that is new."""
    count = max(1, round(scenario.count * share))
    if scenario.count > 5_000:
        count = max(1, round(count * subject.share))
    found: dict[str, Any] = {
        "subject": subject.name,
        "count": count,
        "load": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        try:
            subject.prepare()
            with opened(subject.store, Path(folder)) as store:
                stage = Stage(subject, store, Path(folder))
                try:
                    found |= scenario.measure(stage, count)
                finally:
                    stage.end()
        except MissingError as error:
            found["missing"] = str(error)
        except (FailedError, subprocess.SubprocessError) as error:
            found["failed"] = str(error)
    return found


def failover(folder: str, name: str) -> dict[str, Any]:
    """Measure what a failover of the server costs."""
    script, file = Path(__file__).with_name("failover.py"), Path(folder) / "failover"
    done = subprocess.run(  # noqa: S603  our own file
        [sys.executable, str(script), name, "5000", str(file)],
        capture_output=True,
        text=True,
        check=True,
        timeout=1_800,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _line(out: Path | None, line: dict[str, Any]) -> None:
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    known = (*SCENARIOS, "failover")
    parser.add_argument("scenario", nargs="*", help=f"{', '.join(known)}; else all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of names")
    parser.add_argument("--share", type=float, default=1, help="of the jobs")
    parser.add_argument("--out", type=Path, help="a file for JSON lines")
    found = parser.parse_args()
    if unknown := set(found.scenario) - set(known):
        parser.error(f"no scenario: {', '.join(unknown)}; there are {', '.join(known)}")
    return found


def main() -> None:
    """Measure in rounds; write JSON lines to a file, and print a table a scenario."""
    options = _options()
    # What was started ends with us, also when we are told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console = Console(width=150)
    lines: list[dict[str, Any]] = [{"machine": machine()}]
    _line(options.out, lines[0])
    console.print_json(json.dumps(lines[0]))
    for name in options.scenario or SCENARIOS:
        if name == "failover":
            with tempfile.TemporaryDirectory() as folder:
                for each in FAILOVER:
                    line = {"scenario": name, **failover(folder, each)}
                    _line(options.out, line)
                    console.print_json(json.dumps(line))
            continue
        scenario = SCENARIOS[name]
        subjects = [
            subject
            for subject in map(SUBJECTS.__getitem__, scenario.subjects)
            if not options.only or subject.name.startswith(tuple(options.only))
        ]
        for _ in range(min(options.rounds, scenario.rounds)):
            for subject in subjects:
                line = {
                    "scenario": name,
                    "version": "",
                    **measure(scenario, subject, options.share),
                }
                with suppress(OSError, KeyError, ValueError):
                    line["version"] = subject.versions()
                lines.append(line)
                _line(options.out, line)
                if "failed" in line:
                    console.print(subject.name, line["failed"], style="red")
        console.print(table_of(name, lines))


if __name__ == "__main__":
    main()
