"""What becomes of a run after an attempt: every way it can end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.policies import Misfire, OnLost, Policies, Retry
from nvent_sched._model.runs import ATTEMPTS_KEPT_MAX, Origin, Outcome, Run, RunState
from nvent_sched._model.statistics import Tally
from nvent_sched._model.values import changed
from nvent_sched._rules.losing import settle_lost
from nvent_sched._rules.retention import RETENTION
from nvent_sched._rules.settling import (
    Ending,
    hand_back,
    settle_attempt,
    settle_cancelled,
    settle_cancelled_instead,
    settle_interrupted,
    settle_unconfirmed,
    settle_unstarted,
)
from tests.rules.conftest import LEASE_US, NOON

STARTED_AT: Final = Instant(NOON + 1_000)
NOW: Final = Instant(NOON + 5 * SECOND_US)
ENDED: Final = (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CANCELLED)
TWICE: Final = Policies(retry=Retry(attempts=2, delay=timedelta(seconds=7)))
RAISED: Final = "Traceback (most recent call last):\nValueError: no\na note"


def a_run(
    *,
    attempt: int = 1,
    crashes: int = 0,
    origin: Origin = Origin.SCHEDULE,
    state: RunState = RunState.CLAIMED,
) -> Run:
    is_claimed = state is RunState.CLAIMED
    return Run(
        id="run",
        job_id="job",
        handler="work",
        origin=origin,
        scheduled_time=NOON,
        due_time=NOON,
        ready_at=NOON,
        state=state,
        attempt=attempt,
        crashes=crashes,
        fence=7,
        instance="one" if is_claimed else None,
        lease_until=Instant(NOON + LEASE_US) if is_claimed else None,
    )


def test_a_claim_that_could_be_forgotten_is_given_back_for_a_little_later() -> None:
    run = a_run()

    verdict = settle_unconfirmed(run, now=NOW)

    again = verdict.run
    assert (again.state, again.ready_at) == (RunState.READY, NOW + SECOND_US)
    assert (again.attempt, again.crashes, again.attempts) == (1, 0, ())
    assert (verdict.seen_state, verdict.seen_fence) == (RunState.CLAIMED, run.fence)


def an_ending(outcome: Outcome, *, error: str | None = None) -> Ending:
    return Ending(
        outcome=outcome,
        started_at=STARTED_AT,
        ended_at=NOW,
        error=error,
        progress=0.5,
        log=("a line",),
    )


@pytest.mark.parametrize("outcome", ENDED)
def test_without_a_retry_a_run_ends_as_its_handler_did(outcome: Outcome) -> None:
    settled = settle_attempt(
        a_run(), an_ending(outcome), policies=Policies(), retention=RETENTION
    )

    assert settled.run.state is RunState.FINISHED
    assert settled.run.outcome is outcome
    assert settled.run.keep_until == RETENTION.keep_until(outcome, ended_at=NOW)
    assert settled.tally is not None
    assert settled.tally.duration_us == NOW - STARTED_AT
    assert settled.tally.lateness_us == STARTED_AT - NOON


@pytest.mark.parametrize(
    ("outcome", "attempt", "is_retried"),
    [
        (Outcome.FAILED, 1, True),
        (Outcome.TIMED_OUT, 1, True),
        (Outcome.FAILED, 2, False),
        (Outcome.SUCCEEDED, 1, False),
        (Outcome.CANCELLED, 1, False),
    ],
)
def test_only_failures_are_tried_again_and_only_so_often(
    *, outcome: Outcome, attempt: int, is_retried: bool
) -> None:
    run = a_run(attempt=attempt)

    settled = settle_attempt(
        run, an_ending(outcome), policies=TWICE, retention=RETENTION
    )

    assert (settled.run.state is RunState.READY) is is_retried


def test_the_next_attempt_starts_afresh_after_its_wait() -> None:
    ending = an_ending(Outcome.FAILED, error=RAISED)

    again = settle_attempt(a_run(), ending, policies=TWICE, retention=RETENTION)

    assert again.run.attempt == 2
    assert again.run.ready_at == NOW + 7 * SECOND_US
    assert again.run.due_time == NOON
    assert (again.run.instance, again.run.progress) == (None, None)
    assert [a.outcome for a in again.run.attempts] == [Outcome.FAILED]
    assert again.tally == Tally(
        job_id="job", outcome=None, finished_at=NOW, error="ValueError: no"
    )


@pytest.mark.parametrize("policies", [TWICE, Policies()], ids=["again", "ended"])
@pytest.mark.parametrize(
    ("error", "line"), [(RAISED, "ValueError: no"), (" \n", None), (None, None)]
)
def test_the_line_that_names_the_exception_stands_for_an_error(
    policies: Policies, error: str | None, line: str | None
) -> None:
    ending = an_ending(Outcome.FAILED, error=error)

    settled = settle_attempt(a_run(), ending, policies=policies, retention=RETENTION)

    assert settled.tally is not None
    assert settled.tally.error == line


def test_only_the_last_attempts_are_kept() -> None:
    policies = Policies(retry=Retry(attempts=1_000))
    run = a_run()
    for _ in range(ATTEMPTS_KEPT_MAX + 5):
        again = settle_attempt(
            run, an_ending(Outcome.FAILED), policies=policies, retention=RETENTION
        )
        run = a_run(attempt=again.run.attempt)
        object.__setattr__(run, "attempts", again.run.attempts)

    assert [a.number for a in run.attempts] == list(range(6, ATTEMPTS_KEPT_MAX + 6))


@pytest.mark.parametrize(
    ("on_lost", "crashes", "outcome"),
    [
        (OnLost.RETRY, 0, None),
        (OnLost.RETRY, 1, None),
        (OnLost.RETRY, 2, Outcome.DEAD_LETTERED),
        (OnLost.FAIL, 0, Outcome.LOST),
    ],
)
def test_a_run_whose_instance_died_is_repeated_until_it_is_poison(
    on_lost: OnLost, crashes: int, outcome: Outcome | None
) -> None:
    run, policies = a_run(crashes=crashes), Policies(on_lost=on_lost, crashes_max=3)

    settled = settle_lost(run, policies=policies, retention=RETENTION, now=NOW)

    assert settled.run.outcome is outcome
    assert settled.run.crashes == crashes + 1
    assert settled.run.attempts[-1].outcome is Outcome.LOST
    assert settled.seen_lease_until == run.lease_until
    assert settled.tally is not None
    assert settled.tally.outcome is outcome


def test_a_lost_run_is_ready_at_once_and_says_that_it_was_recovered() -> None:
    settled = settle_lost(a_run(), policies=Policies(), retention=RETENTION, now=NOW)

    assert settled.run.ready_at == NOW
    assert settled.run.origin is Origin.RECOVERY
    assert settled.run.attempt == 2


def test_a_run_that_was_claimed_ahead_has_no_part_in_the_death_of_its_instance() -> (
    None
):
    run = a_run(crashes=2)

    settled = settle_lost(
        run, policies=Policies(), retention=RETENTION, now=Instant(run.ready_at - 1)
    )

    assert settled.run.state is RunState.READY
    assert (settled.run.crashes, settled.run.attempt) == (2, 1)
    assert settled.run.ready_at == run.ready_at
    assert settled.seen_lease_until == run.lease_until
    assert settled.tally is None


@pytest.mark.parametrize("on_lost", OnLost)
def test_an_attempt_that_never_began_does_not_show_the_start_of_the_one_before(
    on_lost: OnLost,
) -> None:
    retry = Policies(retry=Retry(attempts=3), on_lost=on_lost)
    first = settle_attempt(
        a_run(), an_ending(Outcome.FAILED), policies=retry, retention=RETENTION
    )
    assert first.run.started_at == STARTED_AT
    claimed = changed(
        first.run, state=RunState.CLAIMED, instance="two", lease_until=NOW
    )
    later = Instant(claimed.ready_at + SECOND_US)

    lost = settle_lost(claimed, policies=retry, retention=RETENTION, now=later)
    cancelled = settle_cancelled(first.run, reason="", retention=RETENTION, now=later)

    assert [each.started_at for each in lost.run.attempts] == [STARTED_AT, None]
    assert lost.run.started_at is None
    assert cancelled.run.started_at is None
    assert cancelled.tally is not None
    assert cancelled.tally.duration_us is None


def test_a_lost_run_that_was_to_be_cancelled_is_not_repeated() -> None:
    run = replace(a_run(), cancel_reason="enough")

    settled = settle_lost(run, policies=Policies(), retention=RETENTION, now=NOW)

    assert (settled.run.outcome, settled.run.reason) == (Outcome.CANCELLED, "enough")


@given(st.integers(2, 9), st.integers(2, 9))
def test_runs_that_were_lost_together_again_are_repeated_apart(
    one: int, other: int
) -> None:
    policies = Policies(crashes_max=20)
    first, second = (
        settle_lost(
            replace(a_run(crashes=crashes), id=f"run{number}"),
            policies=policies,
            retention=RETENTION,
            now=NOW,
        ).run.ready_at
        for number, crashes in enumerate((one, other))
    )

    assert first != second
    assert min(first, second) >= NOW + SECOND_US
    assert max(first, second) <= NOW + 60 * SECOND_US


def test_a_run_that_would_go_on_ends_if_somebody_wants_it_cancelled() -> None:
    run = a_run()
    again = settle_attempt(
        run, an_ending(Outcome.FAILED), policies=TWICE, retention=RETENTION
    )

    ended = settle_cancelled_instead(
        again, reason="enough", retention=RETENTION, now=NOW
    )

    assert (ended.run.outcome, ended.run.reason) == (Outcome.CANCELLED, "enough")
    assert ended.run.attempts == again.run.attempts
    assert (ended.seen_state, ended.seen_fence) == (run.state, run.fence)
    assert ended.tally is not None


def test_a_run_that_is_broken_off_goes_to_another_instance() -> None:
    ending = an_ending(Outcome.CANCELLED)

    settled = settle_interrupted(
        a_run(), ending, policies=Policies(), retention=RETENTION
    )

    assert settled.run.state is RunState.READY
    assert (settled.run.ready_at, settled.run.attempt) == (NOW, 2)
    assert settled.tally is None


def test_a_run_that_may_not_be_repeated_ends_when_it_is_broken_off() -> None:
    policies = Policies(on_lost=OnLost.FAIL)

    settled = settle_interrupted(
        a_run(), an_ending(Outcome.CANCELLED), policies=policies, retention=RETENTION
    )

    assert settled.run.outcome is Outcome.CANCELLED


def test_what_is_handed_back_is_as_if_it_had_not_been_claimed() -> None:
    settled = hand_back(a_run())

    assert settled.run.attempt == 1
    assert settled.run.ready_at == NOON
    assert settled.run.state is RunState.READY
    assert settled.tally is None


@pytest.mark.parametrize(
    ("misfire", "origin", "attempt", "late_us", "is_missed"),
    [
        (Misfire.SKIP, Origin.SCHEDULE, 1, 60 * SECOND_US + 1, True),
        (Misfire.SKIP, Origin.SCHEDULE, 1, 60 * SECOND_US, False),
        (Misfire.SKIP, Origin.MANUAL, 1, 90 * SECOND_US, False),
        (Misfire.SKIP, Origin.SCHEDULE, 2, 90 * SECOND_US, False),
        (Misfire.LATEST, Origin.SCHEDULE, 1, 90 * SECOND_US, False),
    ],
)
def test_a_claimed_run_is_missed_only_if_it_would_have_been_skipped(
    *, misfire: Misfire, origin: Origin, attempt: int, late_us: int, is_missed: bool
) -> None:
    run, now = a_run(origin=origin, attempt=attempt), Instant(NOON + late_us)
    policies = Policies(misfire=misfire, misfire_grace_us=60 * SECOND_US)

    settled = settle_unstarted(run, policies=policies, retention=RETENTION, now=now)

    assert (settled is not None) is is_missed
    assert settled is None or settled.run.outcome is Outcome.MISSED


def test_what_was_put_off_unconfirmed_is_as_late_as_it_is_since_it_was_due() -> None:
    policies = Policies(misfire=Misfire.SKIP, misfire_grace_us=3 * SECOND_US)
    put_off = settle_unconfirmed(a_run(), now=NOW).run
    run = changed(a_run(), ready_at=put_off.ready_at)

    settled = settle_unstarted(
        run, policies=policies, retention=RETENTION, now=run.ready_at
    )

    assert settled is not None
    assert settled.run.outcome is Outcome.MISSED


@pytest.mark.parametrize("state", [s for s in RunState if s is not RunState.FINISHED])
def test_whatever_has_not_ended_can_be_cancelled(state: RunState) -> None:
    settled = settle_cancelled(
        a_run(state=state), reason="why", retention=RETENTION, now=NOW
    )

    assert settled.run.outcome is Outcome.CANCELLED
    assert settled.run.reason == "why"
    assert (settled.seen_state, settled.seen_fence) == (state, 7)
