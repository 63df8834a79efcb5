"""Two adapters that are asked the same, and whose answers must agree.

Fencing tokens need only grow, so they are compared by the order in which they were first
seen; numbers of events and the text of a page's `next` are an adapter's own.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from anyio.from_thread import start_blocking_portal

from nvent_sched._model.claims import Claims, Committed, Lost
from nvent_sched._model.events import Event
from nvent_sched._model.locks import LockAnswers, LockGranted, LockRecord
from nvent_sched._model.queries import JobQuery, Page, RunQuery, StoreSummary
from nvent_sched._model.runs import Run
from nvent_sched._model.statistics import JobStats

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched._model.jobs import Job
    from nvent_sched._port import Adapter

T = TypeVar("T")

# What the statistics of several jobs added up do not have.
OF_ONE_JOB: Final[dict[str, Any]] = {
    "success_streak": 0,
    "failure_streak": 0,
    "last_outcome": None,
    "last_error": None,
}


@dataclass(kw_only=True)
class Side:
    """One of the two adapters, and how its own numbers are told apart.

    Attributes:
        fences: Its fencing tokens, in the order in which they were first seen.
        highest: The highest of them before the answer that is being written.
        heard: The number of the last event that was read.
    """

    adapter: Adapter
    fences: list[int] = field(default_factory=lambda: [0])
    highest: int = 0
    heard: int = 0

    def number(self, fence: int) -> int:
        """Say which token this is, counted from the first one seen."""
        if fence not in self.fences:
            assert fence > self.highest, "a new fence is above all before it"
            self.fences.append(fence)
        return self.fences.index(fence)

    def told(self, answer: Any) -> Any:  # noqa: ANN401, PLR0911  answers of every kind
        """Write an answer so that two adapters' can be compared."""
        match answer:
            case Run() | LockGranted() | LockRecord():
                return replace(answer, fence=self.number(answer.fence))
            case Committed():
                numbers = tuple(self.number(fence) for fence in answer.fences)
                return Committed(fences=numbers)
            case Claims() | Lost():
                return replace(answer, runs=self.told(answer.runs))
            case LockAnswers():
                return replace(answer, answers=self.told(answer.answers))
            case tuple():
                return tuple(self.told(part) for part in answer)
            case Page():
                more = None if answer.next is None else "more"
                return Page(items=self.told(answer.items), next=more)
            case _:
                return _comparable(answer)

    def meant(self, run: Run) -> Run:
        """Write a run as this adapter knows it."""
        return replace(run, fence=self.fences[run.fence])

    async def hear(self, *, limit: int) -> tuple[Event, ...]:
        """Read events after the last one that was read."""
        events = await self.adapter.read_events(after=self.heard, limit=limit)
        self.heard = events[-1].seq if events else self.heard
        return events

    async def all_jobs(self, *, limit: int) -> tuple[Job, ...]:
        """Read all jobs, page by page."""
        page = await self.adapter.read_jobs(JobQuery(limit=limit))
        found = page.items
        while page.next is not None:
            page = await self.adapter.read_jobs(JobQuery(limit=limit, after=page.next))
            found += page.items
        return found

    async def all_runs(self, *, limit: int) -> tuple[Run, ...]:
        """Read all runs, page by page."""
        page = await self.adapter.read_runs(RunQuery(limit=limit))
        found = page.items
        while page.next is not None:
            page = await self.adapter.read_runs(RunQuery(limit=limit, after=page.next))
            found += page.items
        return found


def _comparable(answer: Any) -> Any:  # noqa: ANN401  answers of every kind
    match answer:
        case Event():
            return replace(answer, seq=0)
        case JobStats(job_id=""):
            return replace(answer, **OF_ONE_JOB)
        case StoreSummary():
            return _numbers(answer)
        case _:
            return answer


def _numbers(summary: StoreSummary) -> dict[str, object]:
    """Leave out what is an adapter's own, and counts of nothing."""
    return {
        "jobs": {status: count for status, count in summary.jobs.items() if count},
        "waits": {status: count for status, count in summary.waits.items() if count},
        "runs": {state: count for state, count in summary.live_runs.items() if count},
        "finished_runs": summary.finished_runs,
        "oldest_look_at": summary.oldest_look_at,
        "unresolved": summary.unresolved,
        "quarantined": summary.quarantined,
    }


class Pair:
    """An adapter and the reference, on a loop of their own until closed."""

    def __init__(self, *adapters: Adapter, backend: str) -> None:
        self.sides: list[Side] = [Side(adapter=adapter) for adapter in adapters]
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal(backend))

    def ask(self, verb: Callable[[Side], Awaitable[T]]) -> T:
        """Ask both; say their answer, which must be one."""
        answers = []
        for side in self.sides:
            side.highest = max(side.fences)
            answers.append(side.told(self._portal.call(verb, side)))
        expected, *others = answers
        for answer in others:
            assert answer == expected
        told: T = expected
        return told

    def close(self) -> None:
        """Close both, and end the loop."""
        with self._stack:
            for side in self.sides:
                self._portal.call(side.adapter.close)
