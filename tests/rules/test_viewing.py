"""From records to what a reader sees: aware moments, lengths, and plain arguments."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.events import Event, EventKind
from nvent_sched._model.instances import Instance
from nvent_sched._model.instants import SECOND_US, Instant, moment_from
from nvent_sched._model.policies import Policies
from nvent_sched._model.runs import Attempt, Outcome, Run, RunState
from nvent_sched._model.statistics import JobStats
from nvent_sched._model.values import changed
from nvent_sched._rules.declaring import READERS, policies_from
from nvent_sched._rules.recurrence import due_of, schedule_of
from nvent_sched._rules.schedules import Interval
from nvent_sched._rules.viewing import (
    event_view,
    instance_view,
    job_view,
    policies_view,
    run_view,
    stats_view,
)
from tests.rules.conftest import NOON, register_new

JOB: Final = register_new(Interval(minutes=1), Policies(jitter_us=5 * SECOND_US))
RUN: Final = Run(
    id="run",
    job_id="job",
    handler="work",
    payload='{"args":[1],"kwargs":{"x":null}}',
    scheduled_time=NOON,
    due_time=Instant(NOON + 1),
    ready_at=Instant(NOON + 2),
    fence=7,
)
instants = st.integers(-10 * SECOND_US, 10 * SECOND_US).map(lambda us: NOON + us)


def test_a_job_is_shown_with_its_schedule_fixed_and_its_next_time_after_jitter() -> (
    None
):
    view = job_view(JOB)

    assert JOB.next_time is not None
    assert view.schedule == schedule_of(JOB)
    assert view.next_time == moment_from(JOB.next_time)
    assert view.next_due == moment_from(due_of(JOB, JOB.next_time))
    assert (view.args, view.kwargs, view.metadata) == ((), {}, {})


@pytest.mark.parametrize(
    "policies",
    [
        Policies(),
        Policies(
            running_max=2,
            crashes_max=5,
            runs_max=7,
            buffer_max=9,
            timeout_us=SECOND_US,
            misfire_grace_us=0,
            starts_at=NOON,
        ),
    ],
    ids=["usual", "chosen"],
)
def test_policies_are_shown_by_the_words_in_which_they_are_written(
    policies: Policies,
) -> None:
    view = job_view(register_new(Interval(minutes=1), policies)).policies

    shown = {field.name: getattr(view, field.name) for field in fields(view)}
    assert shown.keys() == READERS.keys()
    assert policies_from(shown) == policies


def test_a_stored_length_that_is_too_long_for_a_timedelta_is_shown_as_the_longest() -> (
    None
):
    assert policies_view(Policies(spread_us=10**30)).spread == timedelta.max


def test_a_job_without_a_next_time_shows_none() -> None:
    view = job_view(changed(JOB, next_time=None))

    assert (view.next_time, view.next_due) == (None, None)


def test_a_run_is_shown_with_its_arguments_and_its_token() -> None:
    view = run_view(RUN)

    assert (view.args, view.kwargs) == ((1,), {"x": None})
    assert view.fencing_token == 7
    assert (view.lateness, view.duration, view.result) == (None, None, None)


@given(started_at=instants, finished_at=instants)
def test_no_length_of_time_is_negative(started_at: int, finished_at: int) -> None:
    run = replace(
        RUN,
        state=RunState.FINISHED,
        outcome=Outcome.SUCCEEDED,
        started_at=Instant(started_at),
        finished_at=Instant(finished_at),
        result="[1]",
    )

    view = run_view(run)

    lateness_us = max(0, started_at - RUN.ready_at)
    assert view.lateness == timedelta(microseconds=lateness_us)
    assert view.duration == timedelta(microseconds=max(0, finished_at - started_at))
    assert view.result == [1]


def test_earlier_attempts_are_shown_in_order() -> None:
    attempts = tuple(
        Attempt(
            number=number,
            outcome=Outcome.FAILED,
            instance="one",
            started_at=None,
            ended_at=Instant(NOON + number),
            error="no",
        )
        for number in (1, 2)
    )

    view = run_view(replace(RUN, attempts=attempts))

    assert [each.number for each in view.attempts] == [1, 2]
    assert view.attempts[1].ended_at == moment_from(NOON + 2)


@pytest.mark.parametrize("name", ["last_started_at", "last_success_at"])
def test_statistics_are_shown_with_moments_and_percentiles(name: str) -> None:
    moment: dict[str, Any] = {name: NOON}
    counts = {Outcome.FAILED: 2, Outcome.MISSED: 3}
    stats = JobStats(job_id="job", counts=counts, duration={4: 1}, **moment)

    view = stats_view(stats, job=JOB)

    assert getattr(view, name) == moment_from(NOON)
    assert (view.runs, view.failures, view.skipped) == (2, 2, 3)
    expected_us = stats.duration_us(0.5)
    assert expected_us is not None
    assert view.duration.p50 == timedelta(microseconds=expected_us)
    assert view.lateness.p99 is None


def test_statistics_of_a_job_that_is_gone_have_no_next_time() -> None:
    stats = JobStats(job_id="job")

    assert stats_view(stats, job=None).next_time is None
    assert stats_view(stats, job=JOB).next_time == job_view(JOB).next_time


def test_an_instance_and_an_event_are_shown_whole() -> None:
    instance = Instance(
        id="one",
        host="host",
        pid=5,
        release="1",
        started_at=NOON,
        heartbeat_at=Instant(NOON + 1),
    )
    event = Event(at=NOON, kind=EventKind.JOB_ADDED, instance="one", job_id="job")

    for shown, held in (
        (instance_view(instance), instance),
        (event_view(event), event),
    ):
        for field in fields(shown):
            value = getattr(held, field.name)
            is_moment = field.name == "at" or field.name.endswith("_at")
            expected = moment_from(value) if is_moment else value
            assert getattr(shown, field.name) == expected
