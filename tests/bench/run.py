"""Measure ours beside its peers, interleaved in one run: `nox -s bench`.

Machines are noisy: each round runs every subject once, in a process of its own; a table
shows medians with their range, and what counts are the ratios within one run.
`nox -s bench -- fires --count 5000 --rounds 1` for one scenario alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Table

HERE: Final = Path(__file__).parent


class Scenario(NamedTuple):
    """What one table shows.

    Attributes:
        title: What happens, with `{}` for how many.
        cells: Subjects, each with how many jobs it has.
        figures: The columns.
    """

    title: str
    cells: tuple[tuple[str, int], ...]
    figures: tuple[str, ...]


def scenarios(count: int | None) -> dict[str, Scenario]:
    """List what can be measured; *count* replaces the usual number of jobs."""
    many, few = count or 20_000, count or 200
    return {
        "fires": Scenario(
            "one-time jobs due at once, SQLite unless named, each with a durable record",
            tuple(
                (name, many)
                for name in (
                    "nvent-asyncio",
                    "nvent-trio",
                    "nvent-redis-asyncio",
                    "nvent-redis-trio",
                    "apscheduler-3",
                    "bullmq-redis",
                )
            ),
            ("adds_s", "fires_s", "records_s", "cpu_us", "late_p99_ms"),
        ),
        "lateness": Scenario(
            "jobs every second for 20 s",
            tuple(
                (name, few)
                for name in (
                    "bare-asyncio",
                    "bare-trio",
                    "nvent-asyncio",
                    "nvent-trio",
                    "apscheduler-3-memory",
                    "apscheduler-3-sqlite",
                )
            ),
            ("late_p50_ms", "late_p99_ms", "late_max_ms", "every_fired", "cpu_us"),
        ),
        "failover": Scenario(
            "one-time jobs, 500 a second; the primary is killed, a replica takes over",
            tuple(
                (name, count or 5_000)
                for name in (
                    "replicas-follow",
                    "replicas-lag-1s",
                    "replicas-lag-1s-waited-for",
                )
            ),
            ("twice", "never", "silent_s"),
        ),
        "growth": Scenario(
            "jobs stored on SQLite, none due",
            tuple(
                ("nvent", each)
                for each in ((count,) if count else (10_000, 100_000, 1_000_000))
            ),
            (
                *("adds_s", "bytes", "start_ms", "add_ms"),
                *("late_ms", "idle_pct", "rss_mb"),
            ),
        ),
    }


def measure(scenario: str, name: str, count: int, folder: str) -> dict[str, Any]:
    """Run one subject in a process of its own."""
    file = Path(folder) / f"{name}.db"
    done = subprocess.run(  # noqa: S603  our own file
        [sys.executable, str(HERE / f"{scenario}.py"), name, str(count), str(file)],
        capture_output=True,
        text=True,
        check=True,
        timeout=1_800,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def spread(values: list[float]) -> str:
    """Write a median with its range."""
    if any(value != value for value in values):  # noqa: PLR0124  NaN: not measured
        return "-"
    middle, low, high = median(values), min(values), max(values)
    digits = 0 if middle >= 100 else 2
    parts = [f"{value:,.{digits}f}" for value in (middle, low, high)]
    return f"{parts[0]} [{parts[1]} to {parts[2]}]"


def table_of(scenario: Scenario, found: dict[int, list[dict[str, Any]]]) -> Table:
    """Make the table of what was found, by cell."""
    table = Table(title=scenario.title)
    for heading in ("subject", "jobs", *scenario.figures):
        table.add_column(heading, justify="left" if heading == "subject" else "right")
    for cell, (name, count) in enumerate(scenario.cells):
        rounds = found[cell]
        if "missing" in rounds[0]:
            table.add_row(name, f"left out: {rounds[0]['missing']}")
            continue
        cells = [
            spread([each[figure] for each in rounds]) for figure in scenario.figures
        ]
        table.add_row(name, f"{count:,}", *cells)
    return table


def main() -> None:
    """Measure in rounds, print JSON lines to a file and a table a scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "scenario", nargs="*", help="fires, lateness, failover, growth; else all"
    )
    parser.add_argument("--count", type=int, help="jobs, instead of the usual number")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="a file for JSON lines")
    options = parser.parse_args()
    known = scenarios(options.count)
    for name in options.scenario or known:
        scenario = known[name]
        found: dict[int, list[dict[str, Any]]] = {}
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(options.rounds):
                for cell, (subject, count) in enumerate(scenario.cells):
                    measured = measure(name, subject, count, folder)
                    found.setdefault(cell, []).append(measured)
                    if options.out is not None:
                        with options.out.open("a", encoding="utf-8") as out:
                            line = json.dumps({"scenario": name, **measured})
                            out.write(line + "\n")
        Console().print(table_of(scenario, found))


if __name__ == "__main__":
    main()
