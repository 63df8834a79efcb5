"""Promises of the planner, over simulated time, whatever happens to a job and its runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from nvent_sched._model.instants import SECOND_US, Instant, moment_from
from nvent_sched._model.policies import Misfire, OnLost, Overlap, Policies, Retry
from nvent_sched._rules.agenda import LOOKAHEAD_US
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.registration import IfExists, register
from nvent_sched._rules.retention import RETENTION
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched._rules.settling import settle_cancelled
from tests.rules.conftest import NOON, World, register_new

if TYPE_CHECKING:
    from nvent_sched._model.schedules import Schedule
    from tests.rules.conftest import Step

EVERY_MS: Final = (50, 1_000, 1_000, 7_000)
SCHEDULES: Final = st.one_of(
    st.sampled_from(EVERY_MS).map(lambda ms: Interval(milliseconds=ms)),
    st.just(Cron("* * * * *", "UTC")),
    st.integers(-5, 50).map(lambda s: OneTime(moment_from(NOON + s * SECOND_US))),
)
AFTER_FINISH: Final = st.sampled_from((10, 200, 1_000, 7_000)).map(
    lambda ms: Interval(milliseconds=ms, after="finish")
)
OFFSETS_US: Final = st.sampled_from((0, 0, 0, 1, 30_000, 900_000, 60_000_000))
MOMENTS: Final = st.none() | st.integers(1, 30).map(
    lambda s: Instant(NOON + s * SECOND_US)
)


@st.composite
def policies_of_any_kind(draw: st.DrawFn) -> Policies:
    starts_at, ends_at = draw(MOMENTS), draw(MOMENTS)
    if starts_at is not None and ends_at is not None:
        starts_at, ends_at = min(starts_at, ends_at), max(starts_at, ends_at)
    return Policies(
        overlap=draw(st.sampled_from((*Overlap, Overlap.ALLOW_ALL))),
        running_max=draw(st.sampled_from((None, None, 1, 3))),
        buffer_max=draw(st.integers(1, 4)),
        misfire=draw(st.sampled_from(Misfire)),
        misfire_grace_us=draw(st.sampled_from((0, 0, 900_000, 60_000_000))),
        catch_up_window_us=draw(st.sampled_from((0, 10 * SECOND_US, 10**10))),
        catch_up_max=draw(st.integers(1, 8)),
        retry=Retry(attempts=draw(st.integers(1, 2))),
        on_lost=draw(st.sampled_from(OnLost)),
        starts_at=starts_at,
        ends_at=ends_at,
        runs_max=draw(st.none() | st.integers(1, 4)),
        jitter_us=draw(OFFSETS_US),
        spread_us=draw(OFFSETS_US),
    )


LENGTHS_US: Final = st.one_of(
    st.sampled_from((0, 1, 2, 5, 20, 100)).map(lambda s: s * SECOND_US),
    st.integers(0, 10 * SECOND_US),
)
FATES: Final = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("wait", "outage")), LENGTHS_US),
        st.tuples(
            st.sampled_from(("succeed", "fail", "crash", "cancel")), st.integers(0, 5)
        ),
    ),
    min_size=1,
    max_size=15,
)


EDITED_FATES: Final = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("wait", "outage")), LENGTHS_US),
        st.tuples(st.sampled_from(("pause", "resume")), st.integers(0, 1)),
        st.tuples(st.sampled_from(("succeed", "crash", "cancel")), st.integers(0, 5)),
    ),
    min_size=5,
    max_size=20,
)


@settings(max_examples=4 * settings().max_examples)
@given(
    schedule=SCHEDULES,
    policies=policies_of_any_kind(),
    fate=FATES,
    slots=st.integers(0, 3),
)
def test_every_occurrence_is_accounted_for_once(
    schedule: Schedule, policies: Policies, fate: list[Step], slots: int
) -> None:
    world = World(job=register_new(schedule, policies), claims_max=slots)

    for step in fate:
        world.do(step)
        world.check_books()


@given(
    every_ms=st.sampled_from((10, 20, 1_000)),
    policies=policies_of_any_kind(),
    missed=st.integers(900, 5_000),
    fate=FATES,
)
def test_an_outage_of_any_length_is_accounted_for_at_once(
    every_ms: int, policies: Policies, missed: int, fate: list[Step]
) -> None:
    every = Interval(milliseconds=every_ms)
    world = World(job=register_new(every, policies), claims_max=3)

    for step in (("outage", missed * every.every_us), *fate):
        world.do(step)
        world.check_books()
    assert len(world.runs) < 1_000 + 100 * len(fate)


@settings(max_examples=4 * settings().max_examples)
@given(schedule=AFTER_FINISH, policies=policies_of_any_kind(), fate=EDITED_FATES)
def test_the_distance_between_runs_is_kept_and_nothing_is_forgotten(
    schedule: Interval, policies: Policies, fate: list[Step]
) -> None:
    world = World(job=register_new(schedule, policies))

    for step in fate:
        world.do(step)


@settings(max_examples=4 * settings().max_examples)
@given(
    schedule=SCHEDULES,
    policies=policies_of_any_kind(),
    fate=EDITED_FATES,
)
def test_however_often_a_job_is_paused_nothing_runs_twice_or_is_forgotten(
    schedule: Schedule, policies: Policies, fate: list[Step]
) -> None:
    world = World(job=register_new(schedule, policies))

    for step in fate:
        world.do(step)


def test_what_is_skipped_on_either_side_of_what_was_missed_has_two_records() -> None:
    policies = Policies(misfire=Misfire.EARLIEST, misfire_grace_us=0)
    world = World(job=register_new(Interval(seconds=10), policies))
    for step in (("wait", 10 * SECOND_US), ("outage", 70 * SECOND_US)):
        world.do(step)

    _, *records = sorted(world.runs.values(), key=lambda run: run.scheduled_time)

    assert [(run.outcome, run.count) for run in records] == [
        ("skipped_overlap", 1),
        ("missed", 5),
        ("skipped_overlap", 1),
    ]


def test_an_interval_after_the_end_goes_on_when_that_end_was_before_its_mark() -> None:
    """The clock was set back during the run, or it was missed as it should have begun."""
    world = World(job=register_new(Interval(minutes=1, after="finish"), Policies()))
    world.do(("wait", 60 * SECOND_US))
    (run,) = world.live()
    world.now = Instant(NOON - 3_600 * SECOND_US)
    world.settle(settle_cancelled(run, reason="", retention=RETENTION, now=world.now))

    world.commit(world.plan())

    assert world.job.next_time == run.scheduled_time + 60 * SECOND_US


def test_a_finished_job_is_not_looked_at_all_the_time_while_its_run_goes_on() -> None:
    retention = replace(RETENTION, success_us=0)
    at = Instant(NOON + SECOND_US)
    job = register_new(OneTime(moment_from(at)), Policies())
    job = replace(job, definition=replace(job.definition, declared=False))
    world = World(job=job, retention=retention, now=at)
    world.commit(world.plan())
    assert world.job.look_at is not None
    world.now = world.job.look_at

    world.look()

    assert (len(world.live()), world.job.look_at) == (1, world.now + SECOND_US)


def test_an_occurrence_that_was_planned_before_an_edit_is_not_skipped_behind_itself() -> (
    None
):
    world = World(job=register_new(Cron("* * * * *"), Policies()))
    assert world.job.next_time is not None
    world.do(("wait", world.job.next_time - NOON - LOOKAHEAD_US))
    (run,) = world.live()
    edited = replace(world.job.definition, policies=Policies(jitter_us=1))
    write = register(
        edited, existing=world.job, if_exists=IfExists.UPDATE, now=world.now
    )
    assert write is not None
    world.job, world.now = write.job, run.due_time

    plan = world.plan()

    assert (plan.runs, plan.tallies) == ((), ())
    assert plan.write.job.considered_until == run.scheduled_time
