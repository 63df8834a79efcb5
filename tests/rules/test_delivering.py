"""What a fire owes to a subscriber, and what is kept for one who comes later."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.claims import DueJob
from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import Job, JobDefinition, JobStatus
from nvent_sched._model.policies import Overlap, Policies
from nvent_sched._model.runs import Outcome, Run, RunState
from nvent_sched._model.values import changed
from nvent_sched._rules.delivering import (
    Fire,
    delivery_id,
    handed_on_id,
    kept_fires,
    newest_kept,
    plan_delivery,
    retire,
)
from nvent_sched._rules.demand import OnDemand
from nvent_sched._rules.drafting import Claimant
from nvent_sched._rules.editing import pause, resume
from nvent_sched._rules.planning import plan_due
from nvent_sched._rules.registration import IfExists, register
from nvent_sched._rules.retention import RETENTION
from nvent_sched._rules.roles import IDLE_LOOK_US

NOON = Instant(1_800_000_000_000_000)
CLAIMANT = Claimant(instance="one", claims_max=0, lease_us=1, retention=RETENTION)
TRIGGER = "trigger:t"
KEPT, DELIVERED = '{"delivered":0,"is_kept":true}', '{"delivered":1,"skipped":0}'


def stored(job_id: str = "on:t:s", *, payload: str = '{"args":[null]}') -> Job:
    definition = JobDefinition(
        id=job_id,
        name="s",
        handler="s",
        schedule=OnDemand().spec(),
        payload=payload,
        policies=Policies(overlap=Overlap.BUFFER_ALL),
    )
    write = register(definition, existing=None, if_exists=IfExists.UPDATE, now=NOON)
    assert write is not None
    return write.job


def fire(number: int, payload: str = '{"args":[1]}') -> Fire:
    return Fire(
        run_id=f"{TRIGGER}!{number}", at=Instant(NOON + number), payload=payload
    )


def fired(number: int, result: str | None, *, run_id: str = "") -> Run:
    at = Instant(NOON + number)
    ended = Run(
        id=run_id or f"{TRIGGER}!{number}",
        job_id=TRIGGER,
        handler="nvent.trigger",
        scheduled_time=at,
        due_time=at,
        ready_at=at,
    )
    if result is None:
        return ended
    return changed(
        ended,
        state=RunState.FINISHED,
        outcome=Outcome.SUCCEEDED,
        finished_at=at,
        result=result,
    )


@pytest.mark.parametrize("job_id", ["trigger:t", "on:t:s"])
def test_what_is_fired_is_never_over_and_is_looked_at_once_a_day(job_id: str) -> None:
    job = stored(job_id)
    later = Instant(NOON + IDLE_LOOK_US)
    planned = plan_due(DueJob(job=job), now=later, claimant=CLAIMANT).write.job
    paused = pause(planned, reason="", now=later)
    assert paused is not None
    resumed = resume(paused, is_catch_up=False, now=later)

    assert (job.status, job.look_at) == (JobStatus.ACTIVE, later)
    assert planned.look_at == later + IDLE_LOOK_US
    assert resumed is not None
    assert (resumed.status, resumed.look_at) == (JobStatus.ACTIVE, planned.look_at)


@given(count=st.integers(1, 20))
def test_fires_become_runs_that_are_named_by_both(count: int) -> None:
    fires = [fire(number) for number in range(count)]

    plan = plan_delivery(DueJob(job=stored()), fires, now=NOON, claimant=CLAIMANT)

    assert [run.id for run in plan.runs] == [delivery_id("on:t:s", f) for f in fires]
    assert {run.payload for run in plan.runs} == {'{"args":[1]}'}
    assert {run.origin for run in plan.runs} == {"trigger"}


@pytest.mark.parametrize(
    ("takes", "carried", "handed"),
    [
        ('{"args":[null]}', "{}", '{"args":[null]}'),
        ("{}", '{"args":[1]}', "{}"),
    ],
)
def test_a_subscriber_is_called_with_what_it_takes(
    takes: str, carried: str, handed: str
) -> None:
    job = stored(payload=takes)

    plan = plan_delivery(
        DueJob(job=job), [fire(1, carried)], now=NOON, claimant=CLAIMANT
    )

    assert plan.runs[0].payload == handed


def test_what_is_kept_reaches_back_to_what_was_handed_on() -> None:
    handed = handed_on_id(TRIGGER, fired(2, KEPT))
    history = [
        fired(6, KEPT),
        fired(5, DELIVERED),
        fired(4, KEPT),
        fired(3, DELIVERED, run_id=handed),
        fired(2, KEPT),
    ]

    fires = kept_fires(history, trigger_id=TRIGGER, but="")

    assert [each.run_id for each in fires] == [f"{TRIGGER}!4", f"{TRIGGER}!6"]


def test_nothing_is_asked_for_if_all_was_handed_on() -> None:
    handed = handed_on_id(TRIGGER, fired(2, KEPT))
    history = [
        fired(4, DELIVERED),
        fired(3, DELIVERED, run_id=handed),
        fired(2, KEPT),
    ]

    assert newest_kept(history, trigger_id=TRIGGER) is None
    assert newest_kept([], trigger_id=TRIGGER) is None


def test_a_fire_that_is_not_done_yet_may_find_nobody() -> None:
    going = fired(5, None)

    assert newest_kept([going, fired(4, DELIVERED)], trigger_id=TRIGGER) is going


def test_what_handed_on_to_nobody_hides_nothing() -> None:
    handed = handed_on_id(TRIGGER, fired(2, KEPT))
    history = [fired(3, KEPT, run_id=handed), fired(2, KEPT)]

    assert newest_kept(history, trigger_id=TRIGGER) == history[1]
    assert [
        each.run_id for each in kept_fires(history, trigger_id=TRIGGER, but="")
    ] == [f"{TRIGGER}!2"]


def test_a_trigger_retires_once() -> None:
    retired = retire(stored(TRIGGER), now=NOON)

    assert retired is not None
    assert (retired.status, retired.look_at) == (JobStatus.FINISHED, None)
    assert retire(retired, now=NOON) is None


def test_no_occurrence_is_on_demand() -> None:
    schedule = OnDemand()

    assert schedule.next_instant(NOON) is None
    assert schedule.anchored(NOON) == schedule
    assert schedule.describe() == "when it is fired"
    assert replace(schedule) == schedule
