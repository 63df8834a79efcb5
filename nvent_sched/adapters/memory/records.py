"""What is kept of jobs and runs, and in which order it can be found. Pure.

A record says its own `places`: under which keys, and at which time, it is looked for.
Writing a record moves it from the places it had to the ones it has now, which is what
an index does in a real store.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, fields, replace
from heapq import merge
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import Job
from nvent_sched._model.runs import Outcome, Run, RunState
from nvent_sched.adapters._codec import (
    attempts_from,
    attempts_text,
    definition_from,
    definition_text,
    lines_from,
    lines_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Key = tuple[str, str]
Entry = tuple[int, str]
Places = frozenset[tuple[Key, Entry]]

DUE: Final = "jobs to look at, by handler"
READY: Final = "runs to claim, by handler"
LIVE: Final = "unfinished runs, by job"
HISTORY: Final = "finished runs, by job"
HELD: Final = "claimed runs, by instance"
REQUEST: Final = "claimed runs, by request"
JOBS: Final = ("all jobs", "")
RUNS: Final = ("all runs", "")
LEASES: Final = ("claimed runs", "")
KEPT: Final = ("finished runs that may be pruned", "")
NOWHERE: Final[Places] = frozenset()

_JOB_FIELDS: Final = tuple(
    field.name for field in fields(Job) if field.name != "definition"
)


class Order:
    """Sorted entries (time, id) by key."""

    def __init__(self) -> None:
        self._entries: defaultdict[Key, list[Entry]] = defaultdict(list)

    def __getitem__(self, key: Key) -> list[Entry]:
        """All entries of a key, in order; only to be read, and not to be kept."""
        return self._entries.get(key, [])

    def merged(
        self, kind: str, names: Iterable[str], *, until: int | None = None
    ) -> Iterator[Entry]:
        """Iterate over the entries of several names, in order, up to a time."""
        entries = merge(*(self[kind, name] for name in dict.fromkeys(names)))
        return takewhile(lambda entry: until is None or entry[0] <= until, entries)

    def first_at(self, kind: str, names: Iterable[str]) -> Instant | None:
        """Say the time of the first entry of several names; None for none."""
        return next((Instant(at) for at, _ in self.merged(kind, names)), None)

    def names(self, kind: str) -> set[str]:
        """Say for which names entries of this kind exist."""
        return {name for kind_, name in self._entries if kind_ == kind}

    @property
    def size(self) -> int:
        """How many entries there are in all."""
        return sum(map(len, self._entries.values()))

    def move(self, old: Places, new: Places) -> None:
        """Take out what was there before, put in what is there now."""
        for key, entry in old - new:
            entries = self._entries[key]
            del entries[bisect_left(entries, entry)]
            if not entries:
                del self._entries[key]
        for key, entry in new - old:
            insort(self._entries[key], entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job as it is kept: its definition as text, its standing beside it."""

    id: str
    handler: str
    text: str
    standing: dict[str, Any]
    quarantine: str | None = None

    @classmethod
    def of(cls, job: Job) -> JobRecord:
        """Encode a job."""
        return cls(
            id=job.id,
            handler=job.definition.handler,
            text=definition_text(job.definition),
            standing={name: getattr(job, name) for name in _JOB_FIELDS},
        )

    def job(self) -> Job:
        """Decode it.

        Raises:
            StoreError: The text cannot be read.
        """
        return Job(definition=definition_from(self.text), **self.standing)

    @property
    def version(self) -> int:
        """The version, which can be read even if the text cannot."""
        version: int = self.standing["version"]
        return version

    def moved_to(self, look_at: Instant) -> JobRecord:
        """Change when it is looked at; a write like any other, so the version grows."""
        changed = {"look_at": look_at, "version": self.version + 1}
        return replace(self, standing=self.standing | changed)

    def places(self) -> Places:
        """Say where it is looked for."""
        listed = (JOBS, (0, self.id))
        look_at = self.standing["look_at"]
        if look_at is None or self.quarantine is not None:
            return frozenset({listed})
        return frozenset({listed, ((DUE, self.handler), (look_at, self.id))})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as it is kept: earlier attempts and log as text.

    Attributes:
        bare: The run without what is kept as text.
        request: The `begin` that claimed it; None unless it is CLAIMED by one.
    """

    bare: Run
    attempts: str | None
    log: str | None
    request: str | None

    @classmethod
    def of(cls, run: Run, *, request: str | None = None) -> RunRecord:
        """Encode a run."""
        bare = replace(run, attempts=(), log=()) if run.attempts or run.log else run
        return cls(
            bare=bare,
            attempts=attempts_text(run.attempts),
            log=lines_text(run.log),
            request=request,
        )

    def run(self) -> Run:
        """Decode it.

        Raises:
            StoreError: The text cannot be read.
        """
        if self.attempts is None and self.log is None:
            return self.bare
        attempts, log = attempts_from(self.attempts), lines_from(self.log)
        return replace(self.bare, attempts=attempts, log=log)

    def places(self) -> Places:
        """Say where it is looked for."""
        run = self.bare
        by_time = (run.scheduled_time, run.id)
        found: list[tuple[Key, Entry]] = [(RUNS, by_time)]
        if run.state is RunState.FINISHED:
            found.append(((HISTORY, run.job_id), by_time))
            if run.keep_until is not None:
                found.append((KEPT, (run.keep_until, run.id)))
            return frozenset(found)
        found.append(((LIVE, run.job_id), by_time))
        if run.state is RunState.READY:
            found.append(((READY, run.handler), (run.ready_at, run.id)))
        if run.lease_until is not None:
            found.append((LEASES, (run.lease_until, run.id)))
            found.append(((HELD, run.instance or ""), by_time))
            if self.request is not None:
                found.append(((REQUEST, self.request), (run.ready_at, run.id)))
        return frozenset(found)


def ids_of(entries: Iterable[Entry]) -> list[str]:
    """Say the ids of entries, in their order."""
    return [name for _, name in entries]


def cancelled(
    run: Run, *, reason: str, keep_until: Instant | None, now: Instant
) -> Run:
    """Make the record of a run that ends because it is not wanted any more."""
    return replace(
        run,
        state=RunState.FINISHED,
        outcome=Outcome.CANCELLED,
        reason=reason,
        cancel_reason=reason,
        finished_at=now,
        keep_until=keep_until,
    )
