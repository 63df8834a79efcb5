"""What a subject is asked to do, and how it tells what it did. Nothing but the library.

Every subject is a program: `python SUBJECT.py '{"verb": "add", ...}'`. `add` puts jobs into
its store, `work` runs them until it is killed. A handler does nothing but `Marks.note`: it
appends which job began, and when, to a file. That is the same few microseconds for every
subject, in every language, and nobody has to be believed about what it did.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORD: Final = struct.Struct("<qqii")
BEGAN, ENDED, DUE, RECORDED = range(4)
SOON_S: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One thing that is asked of a subject.

    Attributes:
        verb: `add` or `work`.
        variant: Which of the subjects that one program can be.
        store: A file or a URL.
        marks: The file that handlers append to.
        first: The number of the first job.
        count: How many jobs.
        at: When the first is due, in seconds since the epoch.
        spread_s: Over which time the others are spread.
        pause_s: Wait so long before each job, and make it due in 50 ms.
        is_bulk: Add many at once, where there is a way.
        is_every: They are due every second from *at* on.
        work_s: How long a handler takes.
        total: So many runs are to be recorded before RECORDED is noted.
    """

    verb: str
    variant: str
    store: str
    marks: str
    first: int = 0
    count: int = 0
    at: float = 0
    spread_s: float = 0
    pause_s: float = 0
    is_bulk: bool = False
    is_every: bool = False
    work_s: float = 0
    total: int = 0

    @property
    def numbers(self) -> range:
        """The numbers of the jobs."""
        return range(self.first, self.first + self.count)

    def due(self, number: int) -> float:
        """Say when a job is due; soon, if that is what is asked for."""
        if self.pause_s:
            due = time.time() + SOON_S
            Marks(self.marks).note(number, DUE, at=due)
            return due
        return self.at + self.spread_s * (number - self.first) / self.count

    def parts(self, size: int) -> Iterator[Ask]:
        """Part it into asks for so many jobs each."""
        for first in range(self.first, self.first + self.count, size):
            count = min(size, self.first + self.count - first)
            lead = self.spread_s * (first - self.first) / self.count
            spread_s = self.spread_s * count / self.count
            yield replace(
                self, first=first, count=count, at=self.at + lead, spread_s=spread_s
            )


class Marks:
    """The file that handlers append to; from any number of processes."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._pid = os.getpid()

    def note(self, number: int, kind: int = BEGAN, *, at: float | None = None) -> None:
        """Say that a handler began, or another of the few kinds there are."""
        ns = time.time_ns() if at is None else int(at * 1e9)
        os.write(self._file, RECORD.pack(number, ns, self._pid, kind))

    def size(self) -> int:
        """Say how many records there are."""
        return os.fstat(self._file).st_size // RECORD.size

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def say_ready() -> None:
    """Tell whoever started us that we wait for what is due."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def asked() -> Ask:
    """Read what is asked from the command line."""
    return Ask(**json.loads(sys.argv[1]))


def serve(*, add: Callable[[Ask], float], work: Callable[[Ask], None]) -> None:
    """Do what is asked.

    Args:
        add: Adds the jobs, and says how many seconds that took, without what came
            before the first and after the last.
        work: Runs what is due, until it is killed.
    """
    ask = asked()
    if ask.verb == "work":
        work(ask)
        return
    began, cpu = time.perf_counter(), _cpu_s()
    took_s = add(ask)
    # What it used to open and close its store is not what an add costs.
    share = min(1.0, took_s / (time.perf_counter() - began))
    used = {"took_s": took_s, "cpu_s": (_cpu_s() - cpu) * share}
    sys.stdout.write(json.dumps(used) + "\n")


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
