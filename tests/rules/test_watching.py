"""What signs of life, alarms and the end of work do to the job that keeps a watchdog."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.claims import DueJob
from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._model.watchdogs import WatchState
from nvent_sched._rules.drafting import Claimant
from nvent_sched._rules.editing import pause
from nvent_sched._rules.planning import plan_due
from nvent_sched._rules.retention import RETENTION
from nvent_sched._rules.watching import (
    alarm_at_once,
    end_of_work,
    sign_of_life,
    state_of,
    watch_definition,
)

NOON = Instant(1_800_000_000_000_000)
TIMEOUT_US = 10_000_000
DEFINITION = watch_definition(
    "watchdog:w",
    handler="alarm",
    timeout_us=TIMEOUT_US,
    facts={"key": "w", "owner": "one"},
)
CLAIMANT = Claimant(instance="two", claims_max=1, lease_us=1, retention=RETENTION)
spans = st.integers(-100_000_000, 100_000_000)


def started(at: Instant = NOON) -> Job:
    return sign_of_life(DEFINITION, existing=None, at=at, now=at).job


def fired(job: Job, *, now: Instant) -> Job:
    return plan_due(DueJob(job=job), now=now, claimant=CLAIMANT).write.job


@given(signs=st.lists(spans, max_size=5))
def test_the_deadline_is_one_timeout_after_the_last_sign(signs: list[int]) -> None:
    job = started()
    for sign in signs:
        at = Instant(NOON + sign)
        job = sign_of_life(DEFINITION, existing=job, at=at, now=NOON).job

    assert job.next_time == job.anchor + TIMEOUT_US
    assert job.look_at == job.next_time
    assert job.version == 1 + len(signs)
    assert state_of(job) is WatchState.ALIVE


@given(early=st.integers(1, TIMEOUT_US))
def test_no_alarm_is_planned_ahead_of_the_deadline(early: int) -> None:
    now = Instant(NOON + TIMEOUT_US - early)

    plan = plan_due(DueJob(job=started()), now=now, claimant=CLAIMANT)

    assert plan.runs == ()
    assert state_of(plan.write.job) is WatchState.ALIVE


@given(late=st.integers(0, 10**15))
def test_one_alarm_is_planned_however_late_and_the_stall_is_told(late: int) -> None:
    now = Instant(NOON + TIMEOUT_US + late)

    plan = plan_due(DueJob(job=started()), now=now, claimant=CLAIMANT)

    (run,) = plan.runs
    (told,) = json.loads(run.payload)["args"]
    assert (told["key"], told["owner"], told["timeout"]) == ("w", "one", 10.0)
    assert [event.kind for event in plan.events] == ["stalled"]
    assert state_of(plan.write.job) is WatchState.STALLED


@given(after=spans)
def test_a_sign_after_the_alarm_starts_it_anew(after: int) -> None:
    stalled = fired(started(), now=Instant(NOON + TIMEOUT_US))
    at = Instant(NOON + after)

    job = sign_of_life(stalled.definition, existing=stalled, at=at, now=at).job

    assert state_of(job) is WatchState.ALIVE
    assert (job.anchor, job.planned) == (at, 1)


def test_an_alarm_at_once_is_the_alarm_and_its_reason_does_not_outlive_a_sign() -> None:
    write = alarm_at_once(started(), reason="one died", now=Instant(NOON + 5))
    assert write is not None

    plan = plan_due(DueJob(job=write.job), now=Instant(NOON + 6), claimant=CLAIMANT)
    stalled = plan.write.job
    again = sign_of_life(stalled.definition, existing=stalled, at=NOON, now=NOON).job

    assert json.loads(plan.runs[0].payload)["args"][0]["reason"] == "one died"
    assert (stalled.status, stalled.next_time) == (JobStatus.FINISHED, None)
    assert again.definition == DEFINITION
    assert alarm_at_once(stalled, reason="again", now=NOON) is None


def test_the_end_forgets_a_watchdog_unless_it_has_raised_an_alarm() -> None:
    stalled = fired(started(), now=Instant(NOON + TIMEOUT_US))

    forgotten = end_of_work(started(), retention=RETENTION, now=NOON)
    kept = end_of_work(stalled, retention=RETENTION, now=NOON)

    assert forgotten is None
    assert kept is not None
    assert state_of(kept.job) is WatchState.ENDED
    assert kept.job.look_at == NOON + RETENTION.success_us


def test_a_sign_leaves_a_paused_watchdog_paused() -> None:
    paused = pause(started(), reason="rain", now=NOON)
    assert paused is not None

    job = sign_of_life(DEFINITION, existing=paused, at=NOON, now=NOON).job

    assert (job.status, job.look_at) == (JobStatus.PAUSED, None)
