"""What declaring a job does to the one that is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.instants import SECOND_US, Instant, moment_from
from nvent_sched._model.jobs import Job, JobDefinition, JobStatus
from nvent_sched._model.policies import Overlap, Policies
from nvent_sched._model.values import changed
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.registration import IfExists, register
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched.errors import JobExistsError, UsageError
from tests.rules.conftest import NOON, World, register_new

if TYPE_CHECKING:
    from nvent_sched._model.schedules import Schedule

MINUTE: Final = Interval(minutes=1)
MINUTE_US: Final = 60 * SECOND_US
LATER: Final = Instant(NOON + 90 * SECOND_US)
SCHEDULES: Final = (
    MINUTE,
    Cron("0 2 * * *", "Europe/Paris"),
    OneTime(moment_from(NOON + 3_600 * SECOND_US)),
    OneTime(in_=timedelta(hours=1)),
    Interval(minutes=1, after="finish"),
)


def declare(
    definition: JobDefinition, existing: Job, *, how: IfExists = IfExists.UPDATE
) -> Job:
    """Declare again, and say what is stored then."""
    write = register(definition, existing=existing, if_exists=how, now=LATER)
    return existing if write is None else write.job


def moved_on(schedule: Schedule, policies: Policies = Policies()) -> Job:  # noqa: B008
    """Let a job run once, so that its schedule stands somewhere."""
    world = World(job=register_new(schedule, policies))
    world.do(("wait", 61 * SECOND_US))
    return world.job


def finished(schedule: Schedule, *, is_declared: bool) -> Job:
    """Let a job have its last run."""
    world = World(job=register_new(schedule, Policies(runs_max=1)))
    world.do(("outage", 7_200 * SECOND_US))
    assert world.job.status is JobStatus.FINISHED
    definition = replace(world.job.definition, declared=is_declared)
    return changed(world.job, definition=definition)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("how", IfExists)
def test_the_same_job_again_changes_nothing(schedule: Schedule, how: IfExists) -> None:
    job = moved_on(schedule)

    write = register(job.definition, existing=job, if_exists=how, now=LATER)

    assert write is None


@given(restarts_s=st.lists(st.integers(0, 10_000), max_size=5))
def test_a_phase_survives_every_restart(restarts_s: list[int]) -> None:
    world = World(job=register_new(MINUTE, Policies()))
    for restart_s in restarts_s:
        world.do(("wait", restart_s * SECOND_US))
        world.job = declare(world.job.definition, world.job)

    assert world.job.anchor == NOON
    assert world.job.next_time is not None
    assert (world.job.next_time - NOON) % MINUTE_US == 0


def test_a_new_job_begins_now() -> None:
    job = register_new(MINUTE, Policies())

    assert (job.version, job.status) == (1, JobStatus.ACTIVE)
    assert (job.anchor, job.considered_until) == (NOON, NOON)
    assert job.next_time == NOON + MINUTE_US


def test_a_time_in_the_past_is_due_at_once() -> None:
    job = register_new(OneTime(moment_from(NOON - SECOND_US)), Policies())

    assert job.next_time == NOON - SECOND_US
    assert job.look_at == NOON


def test_a_changed_schedule_counts_from_now_on() -> None:
    job = moved_on(MINUTE)
    hourly = replace(job.definition, schedule=Interval(hours=1).spec())

    edited = declare(hourly, job)

    assert edited.version == job.version + 1
    assert edited.considered_until == LATER
    assert edited.next_time == LATER + 60 * MINUTE_US
    assert edited.planned == 0
    assert edited.created_at == job.created_at


@pytest.mark.parametrize(
    "change",
    [
        {"payload": '{"args":[1]}'},
        {"tags": ("new",)},
        {"name": "new"},
        {"policies": Policies(overlap=Overlap.ALLOW_ALL, timeout_us=5_000)},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_any_other_change_leaves_the_schedule_where_it_stands(
    schedule: Schedule, change: dict[str, Any]
) -> None:
    job = moved_on(schedule)

    edited = declare(replace(job.definition, **change), job)

    assert edited.definition != job.definition
    assert edited == changed(
        job,
        definition=edited.definition,
        version=job.version + 1,
        updated_at=LATER,
    )


@pytest.mark.parametrize(
    "policies",
    [
        Policies(starts_at=Instant(LATER + MINUTE_US * 9)),
        Policies(ends_at=Instant(LATER + MINUTE_US * 9)),
        Policies(runs_max=5),
        Policies(jitter_us=5),
        Policies(spread_us=5),
    ],
    ids=["starts_at", "ends_at", "runs_max", "jitter", "spread"],
)
def test_a_changed_bound_counts_from_now_on(policies: Policies) -> None:
    job = moved_on(MINUTE)

    edited = declare(replace(job.definition, policies=policies), job)

    assert edited.considered_until == LATER
    assert edited.anchor == LATER


@pytest.mark.parametrize("schedule", [MINUTE, Interval(hours=1)], ids=repr)
def test_a_paused_job_stays_paused_whatever_is_declared(schedule: Schedule) -> None:
    job = changed(moved_on(MINUTE), status=JobStatus.PAUSED, note="why", look_at=None)

    edited = declare(replace(job.definition, schedule=schedule.spec(), name="n"), job)

    assert (edited.status, edited.note, edited.look_at) == ("paused", "why", None)


def test_keeping_leaves_a_different_job_alone() -> None:
    job = moved_on(MINUTE)
    other = replace(job.definition, name="other")

    assert declare(other, job, how=IfExists.KEEP) is job


def test_an_error_names_the_job_that_exists() -> None:
    job = moved_on(MINUTE)
    other = replace(job.definition, name="other")

    with pytest.raises(JobExistsError, match="'job'"):
        declare(other, job, how=IfExists.ERROR)


@pytest.mark.parametrize("is_declared", [False, True])
def test_in_an_hour_means_one_more_time_only_if_it_is_said_again(
    *, is_declared: bool
) -> None:
    job = finished(OneTime(in_=timedelta(hours=1)), is_declared=is_declared)

    again = declare(job.definition, job)

    assert (again is job) is is_declared
    assert (again.status is JobStatus.ACTIVE) is not is_declared


@pytest.mark.parametrize("is_declared", [False, True])
@pytest.mark.parametrize(
    "schedule",
    [OneTime(in_=timedelta(hours=1)), MINUTE],
    ids=repr,
)
def test_code_that_is_edited_does_not_bring_a_finished_job_back(
    schedule: Schedule, *, is_declared: bool
) -> None:
    job = finished(schedule, is_declared=is_declared)

    edited = declare(replace(job.definition, tags=("new",)), job)

    assert edited.definition.tags == ("new",)
    assert (edited.status is JobStatus.ACTIVE) is not is_declared


def test_a_moment_that_had_its_run_has_no_other_whoever_edits_the_job() -> None:
    job = finished(OneTime(moment_from(NOON)), is_declared=False)

    edited = declare(replace(job.definition, tags=("new",)), job)

    assert edited.definition.tags == ("new",)
    assert edited.status is JobStatus.FINISHED


def test_a_call_that_would_never_run_is_refused() -> None:
    past = Policies(ends_at=Instant(NOON - 1))
    definition = replace(register_new(MINUTE, Policies()).definition, policies=past)
    call = replace(definition, declared=False)

    with pytest.raises(UsageError, match=r"'job' would never run.*ends_at"):
        register(call, existing=None, if_exists=IfExists.UPDATE, now=NOON)
    kept = register(definition, existing=None, if_exists=IfExists.UPDATE, now=NOON)

    assert kept is not None
    assert kept.job.status is JobStatus.FINISHED
