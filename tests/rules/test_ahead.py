"""Which jobs stand still because a clock was ahead."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._model.policies import Policies
from nvent_sched._model.values import changed
from nvent_sched._rules.ahead import AHEAD_US, ahead_words, is_ahead
from nvent_sched._rules.editing import pause, resume
from nvent_sched._rules.registration import IfExists, register
from nvent_sched._rules.schedules import Interval
from tests.rules.conftest import NOON, register_new

SECOND: Final = Interval(seconds=1)
DAY_US: Final = 86_400 * SECOND_US


def considered_until(mark: int) -> Job:
    """Make a job that fires every second and was considered up to *mark*."""
    job = register_new(SECOND, Policies())
    return changed(
        job,
        considered_until=Instant(mark),
        next_time=Instant(mark + SECOND_US),
        look_at=Instant(mark + SECOND_US),
    )


@given(ahead_us=st.integers(-DAY_US, DAY_US))
def test_a_job_is_ahead_if_its_mark_is_more_than_a_minute_to_come(
    ahead_us: int,
) -> None:
    job = considered_until(NOON + ahead_us)

    assert is_ahead(job, now=NOON) == (ahead_us > AHEAD_US)


def test_a_job_that_is_due_far_in_the_future_is_not_ahead() -> None:
    job = register_new(Interval(hours=1_000), Policies())

    assert not is_ahead(job, now=NOON)


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.FINISHED])
def test_a_job_that_fires_nothing_anyway_is_not_ahead(status: JobStatus) -> None:
    job = changed(considered_until(NOON + DAY_US), status=status)

    assert not is_ahead(job, now=NOON)


def test_a_job_that_has_no_next_time_is_not_ahead() -> None:
    job = changed(considered_until(NOON + DAY_US), next_time=None)

    assert not is_ahead(job, now=NOON)


def test_a_watchdog_whose_deadline_is_far_is_not_ahead() -> None:
    job = considered_until(NOON + DAY_US)
    definition = changed(job.definition, id="watchdog:flow")

    assert not is_ahead(changed(job, definition=definition), now=NOON)


def test_the_words_say_until_when_and_which_verb_brings_it_back() -> None:
    words = ahead_words(considered_until(NOON + DAY_US))

    assert "'job' is not due before 2026-01-02 12:00:01 UTC" in words
    assert "up to 2026-01-02 12:00:00 UTC" in words
    assert "`reschedule` it to another timing" in words


def test_what_the_words_say_brings_it_back_and_what_they_warn_of_does_not() -> None:
    job = considered_until(NOON + DAY_US)

    paused = pause(job, reason="", now=NOON)
    assert paused is not None
    resumed = resume(paused, is_catch_up=False, now=NOON)
    for schedule in (Interval(seconds=2), SECOND):
        definition = changed(job.definition, schedule=schedule.spec())
        write = register(definition, existing=job, if_exists=IfExists.UPDATE, now=NOON)
        assert write is not None
        job = write.job

    assert resumed is not None
    assert is_ahead(resumed, now=NOON)
    assert not is_ahead(job, now=NOON)
    assert job.next_time == NOON + SECOND_US
