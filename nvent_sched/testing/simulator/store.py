"""The store of a simulation: in memory, with an onlooker who writes everything down.

Two models. One has a clock of its own, as Redis has: what the callers take for the time
is nothing to it. The other has none, as SQLite: all callers share one machine and its
wall clock.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from nvent_sched._model.claims import STORED, Committed
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.testing.checker.journal import FencedWrite, Stretch, is_used_up
from nvent_sched.testing.faulty import VERBS, lose_writes, remember
from nvent_sched.testing.simulator.digests import digest_of
from nvent_sched.testing.simulator.losing import (
    QUIET_US,
    Failover,
    failed_over,
    quiet_answer,
)
from nvent_sched.testing.simulator.sharing import Handed
from nvent_sched.testing.simulator.timeline import BEGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvent_sched._model.claims import (
        JobWrite,
        Plan,
        Renewal,
        Renewed,
        Settlement,
    )
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.runs import Run
    from nvent_sched._port import Adapter, Traits
    from nvent_sched.testing.faulty import Remembered
    from nvent_sched.testing.simulator.timeline import Timeline

POLL_US: Final = 3 * SECOND_US
ASKED_MAX: Final = 3_000


class StuckError(Exception):
    """An instance asks the store again and again, without waiting for anything."""


class SimulatedStore:
    """A memory store under the eyes of an onlooker.

    Args:
        timeline: The true time.
        has_own_clock: Whether it judges time by a clock of its own.
        hints: Says whether a hint reaches who waits for it.

    Attributes:
        stretches: By job: the parts of its life that nobody edited.
        writes: Every fenced write that was accepted, in order.
        log: What was asked and answered, a line each.
        failover: What a failover has lost; None if there was none.
        given_up: The waits that a user wanted cancelled, and when they were.
    """

    def __init__(
        self, timeline: Timeline, *, has_own_clock: bool, hints: Callable[[], bool]
    ) -> None:
        self.memory: MemoryAdapter = MemoryAdapter()
        self._timeline, self._hints = timeline, hints
        self._has_own_clock = has_own_clock
        self._quiet_until = 0
        self._asked_at_us = self._asked = 0
        self._remembered: Remembered | None = None
        self._writes_remembered, self._remembered_at = 0, BEGIN
        self._given: set[int] = set()
        self._handed = Handed()
        self.stretches: dict[str, list[Stretch]] = {}
        self.writes: list[FencedWrite] = []
        self.log: list[str] = []
        self.failover: Failover | None = None
        self.given_up: dict[str, Instant | None] = {}
        self.traits: Traits = replace(
            self.memory.traits,
            is_shared=True,
            has_own_clock=has_own_clock,
            hint_delay_us_max=POLL_US,
        )
        self.url = "memory:"

    def now(self) -> Instant:
        """Say the true time."""
        return self._timeline.now()

    def as_seen_by(self, host: str) -> Adapter:
        """Give the store as one host reaches it."""
        return cast("Adapter", _Link(self, host))

    def on_hint(self, hint: Callable[[], None]) -> None:
        """Pass hints on, but for those that get lost."""
        self.memory.on_hint(lambda: hint() if self._hints() else None)

    async def ask(
        self, host: str, verb: str, *, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        """Make one step, and write down what it was."""
        self._count_ask()
        if "now" in kwargs and self._has_own_clock:
            kwargs = kwargs | {"now": self._timeline.now()}
        if self._timeline.elapsed_us < self._quiet_until:
            tables, ends = self.memory._tables, Instant(BEGIN + self._quiet_until)
            answer = quiet_answer(verb, args, kwargs, tables=tables, ends=ends)
            if answer is not None:
                return answer
        before = self._before(verb, args)
        answer = await getattr(self.memory, verb)(*args, **kwargs)
        if self._has_own_clock:
            answer = self._shared(verb, args, answer)
        self._note(verb, args, answer, before=before)
        at_us = self._timeline.elapsed_us
        self.log.append(f"{at_us} {host} {verb} {digest_of(verb, args, answer)}")
        return answer

    def _shared(self, verb: str, args: Sequence[Any], answer: Any) -> Any:
        """Keep what one instance was handed from the others for a moment."""
        if verb == "take_due":
            is_shared = len(self.memory._tables.instances) > 1
            return self._handed.kept(answer, is_shared=is_shared)
        self._handed.note(verb, args, answer, looks=self._looks_on_finish)
        return answer

    def _looks_on_finish(self, job_id: str) -> bool:
        record = self.memory._tables.jobs.get(job_id)
        return record is not None and record.job().looks_on_finish

    def _count_ask(self) -> None:
        at_us = self._timeline.elapsed_us
        self._asked_at_us, self._asked = (
            (at_us, self._asked + 1) if at_us == self._asked_at_us else (at_us, 1)
        )
        if self._asked > ASKED_MAX:
            last = "\n".join(self.log[-20:])
            msg = f"asked {self._asked} times at one instant, and again:\n{last}"
            raise StuckError(msg)

    def _before(self, verb: str, args: Sequence[Any]) -> dict[str, Any]:
        """Read what a step is about to change: jobs or runs, by id."""
        tables = self.memory._tables
        match verb:
            case "put_jobs":
                ids = [write.job.id for write in args[0]]
                return {
                    each: tables.jobs[each].job() for each in ids if each in tables.jobs
                }
            case "settle":
                ids = [settlement.run.id for settlement in args[0]]
                return {
                    each: tables.runs[each].run() for each in ids if each in tables.runs
                }
            case _:
                return {}

    def _note(
        self, verb: str, args: Sequence[Any], answer: Any, *, before: dict[str, Any]
    ) -> None:
        match verb:
            case "put_jobs":
                self._note_edits(args[0], answer, before=before)
            case "commit_plans":
                self._note_plans(args[0], answer)
            case "begin":
                fresh = (run for run in answer.runs if run.fence not in self._given)
                for run in fresh:  # else it was asked for again
                    self._note_write(run, fence=run.fence, is_claim=True)
            case "settle":
                self._note_settled(args[0], answer, before=before)
            case "renew":
                self._note_renewed(args[1], answer)
            case _:
                pass

    def _note_renewed(self, renewals: Sequence[Renewal], answer: Renewed) -> None:
        for renewal in renewals:
            if renewal.run_id not in answer.stale:
                record = self.memory._tables.runs[renewal.run_id]
                self._note_write(record.run(), fence=renewal.fence)

    def _note_write(self, run: Run, *, fence: int, is_claim: bool = False) -> None:
        if is_claim:
            self._given.add(fence)
        self.writes.append(
            FencedWrite(
                job_id=run.job_id, run_id=run.id, fence=fence, is_claim=is_claim
            )
        )

    def _note_edits(
        self,
        writes: Sequence[JobWrite],
        answer: Any,
        *,
        before: dict[str, Job],
    ) -> None:
        for write, verdict in zip(writes, answer, strict=True):
            if verdict != STORED:
                continue
            old, new = before.get(write.job.id), write.job
            parts = self.stretches.setdefault(new.id, [])
            if old is not None and parts:
                parts[-1] = closed(parts[-1], old)
            parts.append(
                Stretch(job=new, after=new.considered_until, until=new.considered_until)
            )

    def _note_plans(self, plans: Sequence[Plan], answer: Any) -> None:
        for plan, verdict in zip(plans, answer, strict=True):
            if isinstance(verdict, Committed):
                for run, fence in zip(plan.runs, verdict.fences, strict=True):
                    if fence:
                        self._note_write(run, fence=fence, is_claim=True)

    def _note_settled(
        self,
        settlements: Sequence[Settlement],
        answer: Any,
        *,
        before: dict[str, Run],
    ) -> None:
        for settlement, verdict in zip(settlements, answer, strict=True):
            run = before.get(settlement.run.id)
            if verdict != STORED or run is None or run == settlement.run:
                continue  # refused, or repeated
            self._note_write(settlement.run, fence=settlement.seen_fence)

    def remember(self) -> None:
        """From now on, nothing reaches the replica."""
        self._remembered = remember(self.memory)
        self._writes_remembered, self._remembered_at = len(self.writes), self.now()

    def fail_over(self) -> None:
        """Let the replica take over: what was written since is lost."""
        assert self._remembered is not None
        jobs_before = set(self.memory._tables.jobs)
        lose_writes(self.memory, since=self._remembered)
        self._handed.forget()
        self.failover = failed_over(
            self.memory._tables,
            since=self._remembered_at,
            at=self.now(),
            jobs_before=jobs_before,
        )
        self._quiet_until = self._timeline.elapsed_us + QUIET_US
        del self.writes[self._writes_remembered :]
        tables = self.memory._tables
        # What was lost is not owed a second time: the life of each job begins anew.
        for job_id, record in tables.jobs.items():
            job = record.job()
            at = job.considered_until
            self.stretches[job_id] = [Stretch(job=job, after=at, until=at)]

    def runs(self) -> list[Run]:
        """Read every record, whatever its state."""
        return [each.run() for each in self.memory._tables.runs.values()]

    def jobs(self) -> list[Job]:
        """Read every job."""
        return [each.job() for each in self.memory._tables.jobs.values()]


def closed(stretch: Stretch, job: Job) -> Stretch:
    """End a stretch where the schedule stands."""
    return replace(stretch, until=job.considered_until, is_used_up=is_used_up(job))


class _Link:
    """What one host is connected to; every verb is written down under its name."""

    def __init__(self, store: SimulatedStore, host: str) -> None:
        self._store, self._host = store, host

    def __getattr__(self, name: str) -> Any:
        if name not in VERBS:
            return getattr(self._store, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._store.ask(self._host, name, args=args, kwargs=kwargs)

        return call
