"""Waits kept as jobs: what is stored first, what ends them, what a planner makes of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.claims import DueJob
from nvent_sched._model.instants import INSTANT_MAX, SECOND_US, Instant
from nvent_sched._model.jobs import Job, JobStatus
from nvent_sched._rules.awaiting import (
    LINGER_US,
    cancel,
    cancel_reason_of,
    end_of,
    finish,
    is_pending,
    length_from,
    moment_after,
    new_wait,
    result_of,
    wait_view,
)
from nvent_sched._rules.drafting import Claimant
from nvent_sched._rules.planning import plan_due
from nvent_sched._rules.retention import RETENTION
from nvent_sched.errors import UsageError

NOW = Instant(1_800_000_000_000_000)
KEPT_US = 60 * SECOND_US
instants = st.integers(min_value=0, max_value=INSTANT_MAX // 2).map(Instant)
offsets = st.integers(min_value=-(10**13), max_value=10**13)


def a_wait(*, at: int, now: int = NOW, kept_us: int = KEPT_US) -> Job:
    return new_wait(
        "await:key", at=Instant(at), stored_by="one", now=Instant(now), kept_us=kept_us
    ).job


@given(now=instants, offset=offsets)
def test_a_wait_is_pending_until_its_time_and_looked_at_later(
    now: Instant, offset: int
) -> None:
    at = Instant(now + offset)

    job = a_wait(at=at, now=now)

    assert end_of(job) == at
    assert is_pending(job, now=now) == (at > now)
    assert job.look_at == (at + LINGER_US if at > now else now + KEPT_US)


@given(now=instants, offset=st.integers(min_value=1, max_value=10**13), late=offsets)
def test_whoever_finishes_it_the_record_is_the_same_one_step_on(
    now: Instant, offset: int, late: int
) -> None:
    job = a_wait(at=now + offset, now=now)
    later = Instant(now + offset + abs(late))

    write = finish(job, now=later, kept_us=KEPT_US)

    assert (write.seen_version, write.job.version) == (1, 2)
    assert write.job.status is JobStatus.FINISHED
    assert write.job.considered_until == end_of(job)
    assert write.job.look_at == later + KEPT_US
    assert not is_pending(write.job, now=now)
    assert cancel_reason_of(write.job) is None


@given(
    now=instants,
    offset=st.integers(min_value=1, max_value=10**13),
    late_us=st.integers(min_value=LINGER_US, max_value=10**13),
)
def test_a_planner_finishes_what_nobody_did_with_one_run_however_late(
    now: Instant, offset: int, late_us: int
) -> None:
    job = a_wait(at=now + offset, now=now)
    later = Instant(now + offset + late_us)
    claimant = Claimant(
        instance="two", claims_max=1, lease_us=SECOND_US, retention=RETENTION
    )

    plan = plan_due(DueJob(job=job), now=later, claimant=claimant)

    assert [run.scheduled_time for run in plan.runs] == [end_of(job)]
    assert plan.write.job.status is JobStatus.FINISHED
    assert not is_pending(plan.write.job, now=later)
    assert cancel_reason_of(plan.write.job) is None
    forgotten = plan_due(
        DueJob(job=plan.write.job),
        now=Instant(later + RETENTION.success_us),
        claimant=claimant,
    )
    assert forgotten.is_drop


@given(reason=st.text(max_size=600).filter(lambda text: text == text.strip()))
def test_a_cancelled_wait_keeps_its_reason(reason: str) -> None:
    job = a_wait(at=NOW + SECOND_US)

    cancelled = cancel(job, reason=reason, now=NOW, kept_us=KEPT_US)

    assert cancelled is not None
    kept = cancel_reason_of(cancelled)
    assert kept is not None
    assert reason.startswith(kept)
    assert len(reason) < 480 or kept


def test_what_is_over_cannot_be_cancelled() -> None:
    job = a_wait(at=NOW + SECOND_US)
    later = Instant(NOW + SECOND_US)

    assert cancel(job, reason="", now=later, kept_us=KEPT_US) is None
    finished = finish(job, now=later, kept_us=KEPT_US).job
    assert cancel(finished, reason="", now=NOW, kept_us=KEPT_US) is None
    assert cancel_reason_of(job) is None


@given(now=instants, offset=offsets)
def test_lateness_is_never_negative(now: Instant, offset: int) -> None:
    job = a_wait(at=now + offset, now=now)

    result = result_of(job, now=now, is_first=True)

    assert result.woken - result.scheduled == result.lateness
    assert result.lateness == timedelta(microseconds=max(0, -offset))


def test_a_pending_wait_is_shown_with_who_stored_it() -> None:
    shown = wait_view(a_wait(at=NOW + SECOND_US), waiters=3)

    assert (shown.key, shown.stored_by, shown.waiters) == ("key", "one", 3)
    assert shown.until - shown.since == timedelta(seconds=1)


def test_a_length_is_said_whole_or_in_parts() -> None:
    units = {"hours": 1.5, "seconds": None}

    assert length_from(timedelta(minutes=1), units, name="sleep") == 5_460 * SECOND_US
    assert length_from(None, {"seconds": 0}, name="sleep") == 0


@pytest.mark.parametrize("count", [-1, float("nan"), float("inf"), 1e10, "1", True])
def test_a_length_that_is_none_is_refused(count: float) -> None:
    with pytest.raises(UsageError):
        length_from(None, {"seconds": count}, name="sleep")


def test_a_wait_never_ends_after_the_last_year() -> None:
    assert moment_after(INSTANT_MAX, now=NOW) == INSTANT_MAX
