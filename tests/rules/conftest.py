"""A world for the planner: one job, its runs as a store keeps them, and their fate.

The world waits, the planner is down, runs end, crash or are cancelled. Whatever happens,
the world checks what must always hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nvent_sched._model.claims import DueJob, LiveRun, Plan, Settlement
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.jobs import Job, JobDefinition, JobStatus
from nvent_sched._model.policies import Misfire, Overlap, Policies
from nvent_sched._model.runs import Outcome, Run, RunState
from nvent_sched._model.values import changed
from nvent_sched._rules.agenda import LOOKAHEAD_US
from nvent_sched._rules.drafting import Claimant
from nvent_sched._rules.editing import pause, resume
from nvent_sched._rules.losing import settle_lost
from nvent_sched._rules.planning import plan_due
from nvent_sched._rules.recurrence import due_of, is_after_finish, schedule_of
from nvent_sched._rules.registration import IfExists, register
from nvent_sched._rules.retention import RETENTION, Retention
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched._rules.settling import (
    Ending,
    settle_attempt,
    settle_cancelled,
)

if TYPE_CHECKING:
    from nvent_sched._model.schedules import Schedule

NOON: Final = Instant(1_767_268_800_123_457)
LEASE_US: Final = 300 * SECOND_US
LOOKS_MAX: Final = 3
Step = tuple[str, int]


def register_new(schedule: Schedule, policies: Policies) -> Job:
    definition = JobDefinition(
        id="job",
        name="job",
        handler="work",
        schedule=schedule.spec(),
        policies=policies,
        declared=True,
    )
    write = register(definition, existing=None, if_exists=IfExists.UPDATE, now=NOON)
    assert write is not None
    return write.job


@dataclass
class World:
    """One job and its runs, as a store keeps them, with the planner looking on."""

    job: Job
    claims_max: int = 1
    retention: Retention = RETENTION
    now: Instant = NOON
    runs: dict[str, Run] = field(default_factory=dict)
    last_finished_at: Instant | None = None

    def live(self) -> list[Run]:
        return [r for r in self.runs.values() if r.state is not RunState.FINISHED]

    def active(self) -> list[Run]:
        return [run for run in self.live() if run.state is not RunState.WAITING]

    def look(self) -> None:
        """Plan until nothing is to be looked at now; nothing may keep it spinning."""
        late: list[Run] = []
        for _ in range(LOOKS_MAX):
            if self.job.look_at is None or self.job.look_at > self.now:
                self.check_late(late)
                return
            plan = self.plan()
            grace_us = self.job.definition.policies.misfire_grace_us
            late += [
                run
                for run in plan.runs
                if run.attempt and run.due_time < self.now - grace_us
            ]
            self.commit(plan)
        msg = f"looked at {LOOKS_MAX} times at one instant, and again"
        raise AssertionError(msg)

    def plan(self) -> Plan:
        live = tuple(
            LiveRun(
                id=run.id,
                state=run.state,
                scheduled_time=run.scheduled_time,
                due_time=run.due_time,
                is_cancelled=run.cancel_reason is not None,
            )
            for run in self.live()
        )
        facts = DueJob(job=self.job, live=live, last_finished_at=self.last_finished_at)
        claimant = Claimant(
            instance="one",
            claims_max=self.claims_max,
            lease_us=LEASE_US,
            retention=self.retention,
        )
        return plan_due(facts, now=self.now, claimant=claimant)

    def commit(self, plan: Plan) -> None:
        """Apply a plan as the stores do: runs, promotions, the job, cancellations."""
        self.check_plan(plan)
        for run in plan.runs:
            assert run.id not in self.runs, "an occurrence is planned twice"
            self.runs[run.id] = run
        for run_id in plan.promote:
            self.runs[run_id] = changed(self.runs[run_id], state=RunState.READY)
        self.job = plan.write.job
        if any(run.finished_at for run in plan.runs):
            self.last_finished_at = self.now
        ended = [
            self.ask_to_cancel(run_id, reason=reason)
            for run_id, reason in plan.cancel.items()
        ]
        if self.job.looks_on_finish and (any(ended) or not self.active()):
            self.look_now()

    def ask_to_cancel(self, run_id: str, *, reason: str) -> bool:
        run = self.runs[run_id]
        if run.state is RunState.CLAIMED:
            self.runs[run_id] = changed(run, cancel_reason=reason)
            return False
        self.settle(
            settle_cancelled(run, reason=reason, retention=RETENTION, now=self.now)
        )
        return True

    def look_now(self) -> None:
        look_at = self.now if self.job.look_at is None else self.job.look_at
        self.job = changed(self.job, look_at=Instant(min(self.now, look_at)))

    def settle(self, settlement: Settlement) -> None:
        run = settlement.run
        self.runs[run.id] = run
        if run.state is RunState.FINISHED:
            self.last_finished_at = self.now
            if self.job.looks_on_finish:
                self.look_now()

    def check_plan(self, plan: Plan) -> None:
        job = plan.write.job
        assert plan.write.seen_version == self.job.version
        assert job.considered_until >= self.job.considered_until, "the mark shrank"
        claimed = [run for run in plan.runs if run.state is RunState.CLAIMED]
        assert len(claimed) <= self.claims_max
        for run in plan.runs:
            assert run.scheduled_time > self.job.considered_until
            assert run.due_time <= self.now + LOOKAHEAD_US
            if run.attempt:
                assert run.due_time == due_of(self.job, run.scheduled_time)
            self.check_distance(run)
        told = sum(tally.count for tally in plan.tallies)
        assert told == sum(run.count for run in plan.runs if not run.attempt)

    def check_distance(self, run: Run) -> None:
        schedule = schedule_of(self.job)
        if isinstance(schedule, Interval) and schedule.after == "finish":
            ended_at = self.last_finished_at or NOON
            assert run.scheduled_time >= ended_at + schedule.every_us

    def check_late(self, late: list[Run]) -> None:
        policies = self.job.definition.policies
        most = {Misfire.SKIP: 0, Misfire.ALL: policies.catch_up_max}
        assert len(late) <= most.get(policies.misfire, 1), "caught up too much"

    def check_standing(self) -> None:
        """Nothing is forgotten: what is not final will be looked at."""
        job, policies = self.job, self.job.definition.policies
        if job.status is JobStatus.ACTIVE:
            is_seen_on_finish = job.looks_on_finish and bool(self.active())
            assert job.look_at is not None or is_seen_on_finish
        if any(run.state is RunState.WAITING for run in self.live()):
            assert job.looks_on_finish
            assert self.active() or job.look_at is not None
        if policies.overlap is not Overlap.ALLOW_ALL:
            assert len(self.active()) <= 1
        elif policies.running_max is not None:
            assert len(self.active()) <= policies.running_max
        owed = [run for run in self.runs.values() if run.attempt]
        assert policies.runs_max is None or len(owed) <= policies.runs_max
        assert job.status is JobStatus.FINISHED or len(owed) != policies.runs_max
        assert len(owed) == job.planned

    def check_books(self) -> None:
        """Every occurrence up to the mark is a run, or counted as not run: once."""
        policies, schedule = self.job.definition.policies, schedule_of(self.job)
        if is_after_finish(schedule):
            return
        expected: list[Instant] = []
        since = 0 if isinstance(schedule, OneTime) else NOON
        after = Instant(max(since, (policies.starts_at or 0) - 1))
        until: int = self.job.considered_until
        if policies.ends_at is not None:
            is_over = self.job.status is JobStatus.FINISHED
            until = policies.ends_at if is_over else min(until, policies.ends_at)
        while (found := schedule.next_instant(after)) is not None and found <= until:
            expected.append(found)
            after = found
        known = set(expected)
        for run in self.runs.values():
            assert run.scheduled_time in known
            assert run.until_time is None or run.until_time in known
        counted = sum(run.count for run in self.runs.values())
        is_used_up = policies.runs_max is not None and (
            self.job.planned >= policies.runs_max
        )
        assert counted == len(expected) or (is_used_up and counted < len(expected))
        if self.job.status is JobStatus.ACTIVE:
            assert self.job.next_time == schedule.next_instant(after)

    def do(self, step: Step) -> None:
        verb, amount = step
        match verb:
            case "wait":
                self.wait(amount)
            case "outage":
                self.now = Instant(self.now + amount)
                self.look()
            case "pause" | "resume":
                self.edit(verb, is_catch_up=bool(amount % 2))
                self.look()
            case _:
                self.end_one(verb, amount)
                self.look()
        self.check_standing()

    def edit(self, verb: str, *, is_catch_up: bool) -> None:
        if verb == "pause":
            edited = pause(self.job, reason="why", now=self.now)
        else:
            edited = resume(self.job, is_catch_up=is_catch_up, now=self.now)
        assert edited is None or edited.considered_until >= self.job.considered_until
        self.job = self.job if edited is None else edited

    def wait(self, length_us: int) -> None:
        until = Instant(self.now + length_us)
        for _ in range(40):
            look_at = self.job.look_at
            if look_at is None or look_at > until:
                break
            self.now = Instant(max(self.now, look_at))
            self.look()
        self.now = max(self.now, until)
        self.look()

    def end_one(self, verb: str, nth: int) -> None:
        """Let one run end, of those that can end that way."""
        begun = [r for r in self.active() if verb == "cancel" or r.ready_at <= self.now]
        if not begun:
            return
        run = begun[nth % len(begun)]
        if verb != "cancel":
            run = changed(
                run,
                state=RunState.CLAIMED,
                instance="one",
                lease_until=Instant(self.now + LEASE_US),
            )
        policies = self.job.definition.policies
        if verb == "crash":
            lost = settle_lost(
                run, policies=policies, retention=RETENTION, now=self.now
            )
            self.settle(lost)
            return
        if verb == "cancel":
            reason = "not wanted"
            self.settle(
                settle_cancelled(run, reason=reason, retention=RETENTION, now=self.now)
            )
            return
        outcome = Outcome.SUCCEEDED if verb == "succeed" else Outcome.FAILED
        ending = Ending(outcome=outcome, started_at=run.ready_at, ended_at=self.now)
        self.settle(settle_attempt(run, ending, policies=policies, retention=RETENTION))
