"""Start subjects, watch what they use, read what their handlers wrote."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from peers.asked import BEGAN, DUE, ENDED, RECORD, RECORDED, Ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stores import Store
    from subjects import Subject

TICK_S: Final = 0.02

_CLOCK: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class FailedError(Exception):
    """A subject did not do what was asked."""


class Worker:
    """A subject that works off what is due, with all processes that it starts."""

    def __init__(self, stage: Stage, ask: Ask) -> None:
        self._log = (stage.folder / f"log-{time.monotonic_ns()}").open("w+b")
        self.began = time.time()
        self._process = subprocess.Popen(  # noqa: S603  our own words
            stage.subject.command(ask),
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
            cwd=stage.folder,
        )
        self.pid = self._process.pid

    def until_ready(self) -> None:
        """Wait until it waits for what is due."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == "ready":
                return
        raise FailedError(self.said())

    def said(self) -> str:
        """The end of what it wrote into its log."""
        self._log.seek(0)
        return last_words(self._log.read().decode(errors="replace"))

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self._process.poll() is not None

    def cpu_s(self) -> float:
        """Say how much CPU it has used."""
        return sum(map(cpu_s, self.pids()))

    def rss_mb(self) -> float:
        """Say how much memory it has."""
        return sum(map(_rss_mb, self.pids()))

    def pids(self) -> list[int]:
        """List its processes."""
        return list(_session(self.pid))

    def kill(self) -> None:
        """Kill it with -9, and whatever it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()


def last_words(text: str) -> str:
    """Say the end of what a process wrote before it failed."""
    return " / ".join(text.strip().splitlines()[-2:])[-300:]


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _session(pid: int) -> Iterator[int]:
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            fields = _stat(int(each.name))
            if fields and int(fields[3]) == pid:
                yield int(each.name)


def cpu_s(pid: int | None) -> float:
    """Say how much CPU a process has used; none if there is none."""
    fields = [] if pid is None else _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _CLOCK if fields else 0.0


def _rss_mb(pid: int) -> float:
    fields = _stat(pid)
    return int(fields[21]) * _PAGE / 1e6 if fields else 0.0


class Stage:
    """One subject on one store, for one measurement."""

    def __init__(self, subject: Subject, store: Store, folder: Path) -> None:
        self.subject, self.store, self.folder = subject, store, folder
        self._marks = folder / f"marks-{time.monotonic_ns()}"
        self._marks.touch()
        self._workers: list[Worker] = []

    def ask(self, verb: str, **more: Any) -> Ask:  # noqa: ANN401  the fields of Ask
        """Say what is asked, with our store and marks."""
        subject = self.subject
        place = self.store.place
        if subject.script == "nvent.py":
            place = {"file": f"sqlite:///{place}", "none": "memory:"}.get(
                subject.store, place
            )
        return Ask(
            verb=verb,
            variant=subject.variant,
            store=place + (subject.options if verb == "work" else ""),
            marks=str(self._marks),
            **more,
        )

    def add(self, **more: Any) -> dict[str, float]:  # noqa: ANN401
        """Let jobs be added, in a process of its own; say what that took."""
        ask = self.ask("add", **more)
        done = subprocess.run(  # noqa: S603  our own words
            self.subject.command(ask),
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            cwd=self.folder,
        )
        if done.returncode:
            raise FailedError(last_words(done.stderr))
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found

    def work(self, **more: Any) -> Worker:  # noqa: ANN401
        """Start a worker, and wait until it is ready."""
        worker = Worker(self, self.ask("work", **more))
        self._workers.append(worker)
        worker.until_ready()
        return worker

    def end(self) -> None:
        """Kill every worker."""
        for worker in self._workers:
            worker.kill()

    def marks(self, kind: int = BEGAN) -> list[tuple[int, float, int]]:
        """Read what was noted: number, when in seconds, process."""
        data = self._marks.read_bytes()
        whole = data[: len(data) // RECORD.size * RECORD.size]
        return [
            (number, ns / 1e9, pid)
            for number, ns, pid, is_kind in RECORD.iter_unpack(whole)
            if is_kind == kind
        ]

    def until(self, is_so: Callable[[], bool], *, patience_s: float) -> bool:
        """Wait until it is so; say whether it was in time."""
        until = time.monotonic() + patience_s
        while not is_so():
            if time.monotonic() > until:
                return False
            time.sleep(TICK_S)
        return True

    def until_noted(self, count: int, *, patience_s: float) -> bool:
        """Wait until so many records were noted."""
        return self.until(
            lambda: self._marks.stat().st_size >= count * RECORD.size,
            patience_s=patience_s,
        )


def described(ask: Ask) -> str:
    """Write an ask as a subject reads it."""
    return json.dumps(asdict(ask))


__all__ = ["BEGAN", "DUE", "ENDED", "RECORDED", "FailedError", "Stage", "Worker"]
