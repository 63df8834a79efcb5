"""Which records a status model wants read again. Pure."""

from __future__ import annotations

from itertools import islice
from typing import Final

WANTED_MAX: Final = 20_000


class Wanted:
    """Ids of jobs and of runs, each once, the first wanted first. Bounded."""

    def __init__(self) -> None:
        self._jobs: dict[str, None] = {}
        self._runs: dict[str, None] = {}

    def __bool__(self) -> bool:
        """Whether anything is wanted."""
        return bool(self._jobs or self._runs)

    def job(self, job_id: str) -> None:
        """Want a job read, with its statistics."""
        if len(self._jobs) < WANTED_MAX:
            self._jobs[job_id] = None

    def run(self, run_id: str) -> None:
        """Want a run read."""
        if len(self._runs) < WANTED_MAX:
            self._runs[run_id] = None

    def forget_job(self, job_id: str) -> None:
        """Want a job no more: it is gone."""
        self._jobs.pop(job_id, None)

    def clear(self) -> None:
        """Want nothing."""
        self._jobs.clear()
        self._runs.clear()

    def take(self, *, limit: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Hand out ids of jobs and of runs, at most so many of each."""
        return _taken(self._jobs, limit), _taken(self._runs, limit)


def _taken(ids: dict[str, None], limit: int) -> tuple[str, ...]:
    taken = tuple(islice(ids, limit))
    for each in taken:
        del ids[each]
    return taken
