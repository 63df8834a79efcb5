"""Measure ours beside its peers, interleaved in one run: `nox -s bench`.

Machines are noisy: each round runs every subject once, the table shows medians with
their range, and what counts are the ratios within this run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

SUBJECTS: Final = ("nvent-asyncio", "nvent-trio", "apscheduler-3")
FIGURES: Final = ("adds_s", "fires_s", "records_s", "cpu_us", "late_p99_ms")
HERE: Final = Path(__file__).parent


def measure(name: str, count: int, folder: str) -> dict[str, Any]:
    """Run one subject in a process of its own."""
    command = [sys.executable, str(HERE / "subjects.py"), name, str(count)]
    done = subprocess.run(  # noqa: S603  our own file
        [*command, f"{folder}/{name}.db"],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def spread(values: list[float]) -> str:
    """Write a median with its range."""
    if any(value != value for value in values):  # noqa: PLR0124  NaN: not measured
        return "-"
    middle, low, high = median(values), min(values), max(values)
    return f"{middle:,.0f} [{low:,.0f} to {high:,.0f}]"


def main() -> None:
    """Measure in rounds, print JSON lines to a file and a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="a file for JSON lines")
    options = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SUBJECTS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for name in SUBJECTS:
                measured = measure(name, options.count, folder)
                found[name].append(measured)
                if options.out is not None:
                    with options.out.open("a") as out:
                        out.write(json.dumps(measured) + "\n")
    table = Table(title=f"{options.count} due at once, {options.rounds} rounds")
    for heading in ("subject", *FIGURES):
        table.add_column(heading, justify="left" if heading == "subject" else "right")
    for name, rounds in found.items():
        if "missing" in rounds[0]:
            table.add_row(name, f"left out: {rounds[0]['missing']}")
            continue
        table.add_row(
            name, *(spread([each[figure] for each in rounds]) for figure in FIGURES)
        )
    Console().print(table)


if __name__ == "__main__":
    main()
