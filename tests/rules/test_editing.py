"""What pausing and resuming do to a job."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.events import EventKind
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._model.policies import Misfire, Overlap, Policies
from nvent_sched._model.runs import FAILURES, Outcome, RunState
from nvent_sched._model.values import changed
from nvent_sched._rules.editing import has_failed_since, pause, resume, should_pause
from nvent_sched._rules.retention import RETENTION
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched.testing.conformance.builders import a_job, a_run, at
from tests.rules.conftest import NOON, World, register_new

MINUTE: Final = Interval(minutes=1)
MINUTE_US: Final = 60 * SECOND_US
AFTER_FINISH: Final = Interval(minutes=1, after="finish")
CATCHING_UP: Final = Policies(misfire=Misfire.ALL, overlap=Overlap.BUFFER_ALL)


def paused(job: Job, *, now: Instant = NOON) -> Job:
    edited = pause(job, reason="why", now=now)
    assert edited is not None
    return edited


def resumed(job: Job, *, now: Instant, is_catch_up: bool = False) -> Job:
    edited = resume(job, is_catch_up=is_catch_up, now=now)
    assert edited is not None
    return edited


def paused_for(
    minutes: int, *, policies: Policies = CATCHING_UP, is_catch_up: bool
) -> World:
    world = World(job=paused(register_new(MINUTE, policies)))
    world.do(("wait", minutes * MINUTE_US))
    world.job = resumed(world.job, now=world.now, is_catch_up=is_catch_up)
    world.do(("wait", 0))
    return world


def test_a_paused_job_says_why_and_is_not_looked_at() -> None:
    job = paused(register_new(MINUTE, Policies()))

    assert (job.status, job.note, job.look_at) == (JobStatus.PAUSED, "why", None)
    assert job.next_time == NOON + MINUTE_US


def test_a_job_whose_run_may_have_just_ended_is_looked_at_once_more() -> None:
    job = changed(register_new(MINUTE, Policies()), looks_on_finish=True)

    stopped = paused(job, now=NOON)
    resumed = resume(stopped, is_catch_up=False, now=NOON)

    assert stopped.look_at == NOON
    assert resumed is not None
    assert resumed.look_at == NOON


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.FINISHED])
def test_only_an_active_job_can_be_paused(status: JobStatus) -> None:
    job = changed(register_new(MINUTE, Policies()), status=status)

    assert pause(job, reason="why", now=NOON) is None


@pytest.mark.parametrize("status", [JobStatus.ACTIVE, JobStatus.FINISHED])
def test_only_a_paused_job_can_be_resumed(status: JobStatus) -> None:
    job = changed(register_new(MINUTE, Policies()), status=status)

    assert resume(job, is_catch_up=True, now=NOON) is None


@given(minutes=st.integers(1, 90))
def test_nothing_of_a_pause_is_owed_unless_asked_for(minutes: int) -> None:
    world = paused_for(minutes, is_catch_up=False)

    assert world.runs == {}
    assert world.job.next_time == NOON + (minutes + 1) * MINUTE_US


@given(minutes=st.integers(1, 90))
def test_catching_up_owes_all_of_a_pause_by_the_misfire_policy(minutes: int) -> None:
    world = paused_for(minutes, is_catch_up=True)

    assert sum(run.count for run in world.runs.values()) == minutes
    world.check_books()


@pytest.mark.parametrize("is_catch_up", [False, True])
@pytest.mark.parametrize("minutes", [0, 1, 5])
def test_a_pause_does_not_move_the_phase(*, minutes: int, is_catch_up: bool) -> None:
    world = paused_for(minutes, is_catch_up=is_catch_up)

    assert world.job.anchor == NOON
    assert world.job.next_time is not None
    assert (world.job.next_time - NOON) % MINUTE_US == 0


@given(
    pause_us=st.integers(0, 10 * MINUTE_US),
    resume_us=st.integers(0, 10 * MINUTE_US),
    is_catch_up=st.booleans(),
)
def test_the_mark_never_shrinks(
    *, pause_us: int, resume_us: int, is_catch_up: bool
) -> None:
    world = World(job=register_new(MINUTE, Policies()))
    world.do(("wait", pause_us))
    before = world.job
    stopped = paused(before, now=world.now)

    again = resumed(
        stopped, now=Instant(world.now + resume_us), is_catch_up=is_catch_up
    )

    assert again.considered_until >= before.considered_until
    assert again.status is JobStatus.ACTIVE
    assert again.look_at is not None


def test_a_job_whose_end_fell_into_its_pause_is_finished() -> None:
    policies = Policies(ends_at=Instant(NOON + 3 * MINUTE_US))

    world = paused_for(10, policies=policies, is_catch_up=False)

    assert world.job.status is JobStatus.FINISHED


def test_a_job_that_counts_from_the_end_runs_no_more_past_its_end() -> None:
    policies = Policies(ends_at=Instant(NOON + 3 * MINUTE_US))
    world = World(job=paused(register_new(AFTER_FINISH, policies)))
    world.do(("wait", 5 * MINUTE_US))

    world.job = resumed(world.job, now=world.now)
    world.do(("wait", 0))

    assert (world.job.status, world.runs) == (JobStatus.FINISHED, {})


def test_a_job_that_is_resumed_past_its_only_time_is_told_of_and_forgotten() -> None:
    once = register_new(OneTime(in_=timedelta(minutes=1)), Policies())
    scheduled = changed(once, definition=replace(once.definition, declared=False))
    world = World(job=paused(scheduled))
    world.do(("wait", 5 * MINUTE_US))

    world.job = resumed(world.job, now=world.now)
    plan = world.plan()
    world.do(("wait", 0))

    assert [event.kind for event in plan.events] == [EventKind.JOB_FINISHED]
    assert world.job.status is JobStatus.FINISHED
    assert world.job.look_at == world.now + RETENTION.success_us


@pytest.mark.parametrize("is_catch_up", [False, True])
@pytest.mark.parametrize("does_end_in_pause", [False, True])
def test_a_job_that_counts_from_the_end_goes_on_after_a_pause_during_its_run(
    *, does_end_in_pause: bool, is_catch_up: bool
) -> None:
    world = World(job=register_new(AFTER_FINISH, Policies()))
    world.do(("wait", MINUTE_US))
    world.job = paused(world.job, now=world.now)
    if does_end_in_pause:
        world.do(("succeed", 0))

    world.job = resumed(world.job, now=world.now, is_catch_up=is_catch_up)
    if not does_end_in_pause:
        world.do(("succeed", 0))
    world.do(("wait", 2 * MINUTE_US))

    assert world.job.status is JobStatus.ACTIVE
    assert len(world.runs) == 2


def test_a_job_that_counts_from_the_end_is_due_at_once_after_a_long_pause() -> None:
    world = World(job=paused(register_new(AFTER_FINISH, Policies())))
    world.do(("wait", 5 * MINUTE_US))

    world.job = resumed(world.job, now=world.now)

    assert world.job.next_time == world.now


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize(("limit", "streak"), [(None, 99), (3, 2), (3, 3), (3, 4)])
def test_a_job_is_paused_by_as_many_failures_in_a_row_as_it_may_have(
    outcome: Outcome, limit: int | None, streak: int
) -> None:
    policies = Policies(pause_after_failures=limit)

    is_paused = should_pause(policies, outcome=outcome, failure_streak=streak)

    assert is_paused is (limit is not None and streak >= limit and outcome in FAILURES)


@pytest.mark.parametrize(
    ("ended_s", "is_enough"),
    [((1, 2, 3), True), ((-1, 1, 2), False), ((-2, -1, 1), False), ((-1, 1), True)],
)
def test_failures_from_before_a_job_was_edited_count_no_more_unless_they_are_gone(
    ended_s: tuple[int, ...], *, is_enough: bool
) -> None:
    failures = [
        a_run(f"{at_s}", state=RunState.FINISHED, finished_at=at(at_s))
        for at_s in ended_s
    ]

    assert has_failed_since(a_job(), failures, limit=3) is is_enough
