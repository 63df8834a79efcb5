"""What is stored, and the steps that the verbs are made of. Knows no lock and no loop.

Two rules keep a job from being forgotten. A run that ends while its job `looks_on_finish`
makes the job be looked at, and grows its version: a plan decided before the end must not
overwrite the look. And a plan that leaves a job waiting for an end none of its runs can
bring any more (they ended after the facts were read, or the plan itself cancelled them)
is written with a look at once.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from nvent_sched._model.claims import (
    CANCELLED,
    STALE,
    STORED,
    Committed,
    DueJob,
    LiveRun,
)
from nvent_sched._model.runs import Outcome, Run, RunState
from nvent_sched._model.statistics import JobStats, Tally
from nvent_sched.adapters.memory.locktable import LockTable
from nvent_sched.adapters.memory.records import (
    HISTORY,
    LIVE,
    NOWHERE,
    READY,
    JobRecord,
    Order,
    RunRecord,
    cancelled,
    ids_of,
)
from nvent_sched.adapters.memory.sums import stats_with
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nvent_sched._model.claims import (
        JobWrite,
        Plan,
        Pool,
        Renewal,
        Settled,
        Settlement,
        Stale,
        Verdict,
    )
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job


class Tables:
    """Jobs, runs, statistics and instances, with their order."""

    def __init__(self) -> None:
        self.order: Order = Order()
        self.jobs: dict[str, JobRecord] = {}
        self.runs: dict[str, RunRecord] = {}
        self.stats: dict[str, JobStats] = {}
        self.instances: dict[str, Instance] = {}
        self.locks: LockTable = LockTable()
        self.fence: int = 0

    def put_job(self, record: JobRecord) -> None:
        """Write a job's record."""
        old = self.jobs.get(record.id)
        self.jobs[record.id] = record
        self.order.move(NOWHERE if old is None else old.places(), record.places())

    def put_run(self, run: Run, *, request: str | None = None) -> None:
        """Write a run."""
        record, old = RunRecord.of(run, request=request), self.runs.get(run.id)
        self.runs[run.id] = record
        self.order.move(NOWHERE if old is None else old.places(), record.places())

    def forget_run(self, run_id: str) -> None:
        """Forget a run."""
        self.order.move(self.runs.pop(run_id).places(), NOWHERE)

    def drop(self, job_id: str) -> bool:
        """Forget a job; say whether there was one."""
        record = self.jobs.pop(job_id, None)
        if record is None:
            return False
        self.order.move(record.places(), NOWHERE)
        self.stats.pop(job_id, None)
        for run_id in ids_of(self.order[LIVE, job_id] + self.order[HISTORY, job_id]):
            if self.runs[run_id].bare.state is not RunState.CLAIMED:
                self.forget_run(run_id)
        return True

    def write(self, write: JobWrite) -> Verdict:
        """Write a job if it has the version that was seen."""
        if not self.is_current(write):
            return STALE
        self.put_job(JobRecord.of(write.job))
        return STORED

    def is_current(self, write: JobWrite) -> bool:
        """Whether the job has the version that was seen."""
        record = self.jobs.get(write.job.id)
        return (0 if record is None else record.version) == write.seen_version

    def readable(self, job_ids: Iterable[str]) -> Iterator[Job]:
        """Decode those of these jobs that exist and can be read."""
        for job_id in job_ids:
            record = self.jobs.get(job_id)
            if record is None or record.quarantine is not None:
                continue
            try:
                yield record.job()
            except StoreError:
                continue  # `take_due` and `summary` tell

    def facts(self, job: Job) -> DueJob:
        """Say what a plan for a job needs."""
        live = (self.runs[run_id].bare for _, run_id in self.order[LIVE, job.id])
        return DueJob(
            job=job,
            live=tuple(
                LiveRun(
                    id=run.id,
                    state=run.state,
                    scheduled_time=run.scheduled_time,
                    due_time=run.due_time,
                    is_cancelled=run.cancel_reason is not None,
                )
                for run in live
            ),
            last_finished_at=self.stats_of(job.id).last_finished_at,
        )

    def stats_of(self, job_id: str) -> JobStats:
        """Read a job's statistics."""
        return self.stats.get(job_id) or JobStats(job_id=job_id)

    def count(self, tally: Tally | None) -> None:
        """Add to a job's statistics, if there is such a job."""
        if tally is not None and tally.job_id in self.jobs:
            self.stats[tally.job_id] = stats_with(self.stats_of(tally.job_id), tally)

    def commit(self, plan: Plan, *, now: Instant) -> Committed | Stale:
        """Apply a plan if the job has the version it was decided on."""
        job = plan.write.job
        if not self.is_current(plan.write):
            return STALE
        if plan.is_drop:
            self.drop(job.id)
            return Committed(fences=(0,) * len(plan.runs))
        is_new = {run.id: run.id not in self.runs for run in plan.runs}
        fences = tuple(self._insert(run) for run in plan.runs)
        for run_id in plan.promote:
            run = self.run_in(run_id, RunState.WAITING)
            if run is not None:
                self.put_run(replace(run, state=RunState.READY))
        self.put_job(JobRecord.of(job))
        for tally in plan.tallies:
            if tally.record_id is None or is_new.get(tally.record_id):
                self.count(tally)
        ended = [
            self._cancel(
                run_id, reason=reason, keep_until=plan.cancelled_until, now=now
            )
            for run_id, reason in plan.cancel.items()
        ]
        if job.looks_on_finish and (any(ended) or not self.is_active(job.id)):
            look_at = now if job.look_at is None else min(now, job.look_at)
            self.put_job(JobRecord.of(replace(job, look_at=look_at)))
        return Committed(fences=fences)

    def is_active(self, job_id: str) -> bool:
        """Whether a run of a job is going, or about to."""
        live = (self.runs[run_id].bare for _, run_id in self.order[LIVE, job_id])
        return any(run.state is not RunState.WAITING for run in live)

    def run_in(self, run_id: str, state: RunState) -> Run | None:
        """Read a run if it is in this state."""
        record = self.runs.get(run_id)
        return record.run() if record and record.bare.state is state else None

    def _insert(self, run: Run) -> int:
        if run.id in self.runs:
            return 0
        fence = self.next_fence() if run.state is RunState.CLAIMED else 0
        self.put_run(replace(run, fence=fence))
        return fence

    def listed_instances(self) -> tuple[Instance, ...]:
        """List the instances, the oldest first."""
        listed = self.instances.values()
        return tuple(sorted(listed, key=lambda each: (each.started_at, each.id)))

    def next_fence(self) -> int:
        """Give out a fencing token."""
        self.fence += 1
        return self.fence

    def _cancel(
        self, run_id: str, *, reason: str, keep_until: Instant | None, now: Instant
    ) -> bool:
        record = self.runs.get(run_id)
        if record is None or record.bare.state is RunState.FINISHED:
            return False
        run = record.run()
        if run.state is RunState.CLAIMED:
            self.mark_cancelled(run, reason=reason)
            return False
        self.put_run(cancelled(run, reason=reason, keep_until=keep_until, now=now))
        outcome = Outcome.CANCELLED
        self.count(Tally(job_id=run.job_id, outcome=outcome, finished_at=now))
        return True

    def mark_cancelled(self, run: Run, *, reason: str) -> None:
        """Ask for a CLAIMED run to be cancelled; the first reason given stays."""
        if run.cancel_reason is None:
            request = self.runs[run.id].request
            self.put_run(replace(run, cancel_reason=reason), request=request)

    def claim(
        self,
        pools: Iterable[Pool],
        *,
        request: str,
        instance: str,
        until: Instant,
        lease_until: Instant,
    ) -> None:
        """Claim what is ready, up to each pool's limit, oldest first."""
        for pool in pools:
            ready = self.order.merged(READY, pool.handlers, until=until)
            for run_id in ids_of(islice(ready, pool.limit)):
                claimed = replace(
                    self.runs[run_id].run(),
                    state=RunState.CLAIMED,
                    fence=self.next_fence(),
                    instance=instance,
                    lease_until=lease_until,
                )
                self.put_run(claimed, request=request)

    def renew(self, renewal: Renewal, *, lease_until: Instant) -> bool:
        """Extend a lease and store progress; say whether the claim is still valid."""
        run = self.run_in(renewal.run_id, RunState.CLAIMED)
        if run is None or run.fence != renewal.fence:
            return False
        changes = {
            name: value
            for name in ("progress", "progress_note", "started_at")
            if (value := getattr(renewal, name)) is not None
        }
        if renewal.extend:
            changes["lease_until"] = lease_until
        self.put_run(replace(run, **changes), request=self.runs[run.id].request)
        return True

    def settle(
        self, settlements: Sequence[Settlement], *, now: Instant
    ) -> tuple[Settled, ...]:
        """Write what became of runs; look at the jobs of those that ended, once each."""
        ended: list[str] = []
        verdicts = tuple(self._settle(each, ended=ended) for each in settlements)
        for job_id in dict.fromkeys(ended):
            self._look_on_finish(job_id, now=now)
        return verdicts

    def _settle(self, settlement: Settlement, *, ended: list[str]) -> Settled:
        record, run = self.runs.get(settlement.run.id), settlement.run
        if record is None:
            return STALE
        if record.run() == run:
            return STORED  # by the same request, whose answer was lost
        stored, lease_until = record.bare, settlement.seen_lease_until
        seen = (settlement.seen_state, settlement.seen_fence)
        if (stored.state, stored.fence) != seen:
            return STALE
        if lease_until is not None and stored.lease_until != lease_until:
            return STALE
        is_over = run.state is RunState.FINISHED
        if not is_over and run.cancel_reason != stored.cancel_reason:
            return CANCELLED
        self.put_run(run)
        self.count(settlement.tally)
        if is_over:
            ended.append(run.job_id)
        return STORED

    def _look_on_finish(self, job_id: str, *, now: Instant) -> None:
        record = self.jobs.get(job_id)
        if record is not None and record.standing["looks_on_finish"]:
            look_at = record.standing["look_at"]
            look_at = now if look_at is None else min(now, look_at)
            self.put_job(record.moved_to(look_at))
