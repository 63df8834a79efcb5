"""Where the CPU of a fire goes: `profiled.py "nvent, SQLite" 20000`.

Samples every thread of a worker while it fires (py-spy, 500 times a second), and adds up by
what a fire passes through. Shares of the samples, times the CPU a fire took.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from stage import RECORDED, Stage
from stores import opened
from subjects import SUBJECTS

# The first that is found, looked for from the outermost frame inwards, names the share.
PARTS: Final = (
    ("event loop: ask the selector", ("select (selectors.py",)),
    ("the benchmark's own mark", ("Marks.note (asked.py", "quick (nvent.py")),
    ("SQLite: take what is due", ("take_due (nvent_sched/adapters/sqlite",)),
    ("SQLite: commit plans", ("commit_plans (nvent_sched/adapters/sqlite",)),
    ("SQLite: settle, count", ("settle (nvent_sched/adapters/sqlite",)),
    ("SQLite: tell events", ("publish (nvent_sched/adapters/sqlite",)),
    ("Redis: send and receive", ("Link.execute",)),
    ("store thread: the rest", ("Owner._work",)),
    ("task for each run", ("open_tasks.<locals>.start",)),
    ("rules: plan", ("plan_due (",)),
    ("rules: verdict", ("verdict_on (",)),
    ("adapter: values to rows", ("(nvent_sched/adapters/",)),
    ("call the handler", ("run_claim (",)),
    ("engine: plan and claim", ("plan_pass (",)),
    ("engine: launch", ("run_launcher (",)),
    ("engine: outbox", ("Outbox.flush (",)),
    ("event loop: the rest", ("BaseEventLoop.run_forever", "trio/_core/_run.py")),
)


def part_of(stack: str) -> str:
    """Name what a sample was taken in."""
    if "Grouping._transaction" in stack and "_step_all" not in stack:
        return "SQLite: commit to the disk"
    for name, signs in PARTS:
        if any(sign in stack for sign in signs):
            return name
    return "other threads"


def main(name: str, count: int) -> None:
    """Profile one subject and print a table."""
    subject = SUBJECTS[name]
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(subject.store, Path(folder)) as store,
    ):
        stage, raw = Stage(subject, store, Path(folder)), Path(folder) / "raw"
        at = time.time() + 6 + count / subject.pace
        stage.add(count=count, at=at, is_bulk=True)
        worker = stage.work(at=at, total=count)
        time.sleep(max(0.0, at - time.time() - 0.2))
        cpu = worker.cpu_s()
        options = ("-r", "500", "-f", "raw", "--threads", "--nonblocking", "-d", "60")
        with subprocess.Popen(  # noqa: S603  our own words
            ["py-spy", "record", *options, "-o", str(raw), "-p", str(worker.pid)],  # noqa: S607
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as sampler:
            stage.until(lambda: bool(stage.marks(RECORDED)), patience_s=60)
            cpu_us = (worker.cpu_s() - cpu) / count * 1e6
            sampler.send_signal(2)
        stage.end()
        samples: Counter[str] = Counter()
        for line in raw.read_text(encoding="utf-8").splitlines():
            stack, _, number = line.rpartition(" ")
            samples[part_of(stack)] += int(number)
    whole = sum(samples.values())
    sys.stdout.write(
        f"{name}: {cpu_us:.0f} us of CPU a fire\n\n| part | share | us |\n"
    )
    sys.stdout.write("|---|---:|---:|\n")
    for part, times in samples.most_common():
        share = times / whole
        sys.stdout.write(f"| {part} | {share:.0%} | {share * cpu_us:.1f} |\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
