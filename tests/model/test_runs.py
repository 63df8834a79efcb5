"""Runs: what is always true of one, in every state; outcomes fall into known sets."""

from __future__ import annotations

from itertools import product

import pytest

from nvent_sched._model.instants import Instant
from nvent_sched._model.runs import EXECUTED, FAILURES, Outcome, Run, RunState

AT = Instant(1)


@pytest.mark.parametrize(
    ("state", "is_owned", "is_leased", "has_ended"),
    list(product(RunState, (False, True), (False, True), (False, True))),
    ids=str,
)
def test_a_run_is_made_only_if_its_parts_fit_its_state(
    state: RunState, *, is_owned: bool, is_leased: bool, has_ended: bool
) -> None:
    is_claimed = state is RunState.CLAIMED
    fits = (
        has_ended == (state is RunState.FINISHED)
        and is_leased == is_claimed
        and (is_owned or not is_claimed)
    )

    def make() -> Run:
        return Run(
            id="run",
            job_id="job",
            handler="work",
            scheduled_time=AT,
            due_time=AT,
            ready_at=AT,
            state=state,
            instance="one" if is_owned else None,
            lease_until=AT if is_leased else None,
            outcome=Outcome.SUCCEEDED if has_ended else None,
        )

    if fits:
        assert make().state is state
    else:
        with pytest.raises(AssertionError):
            make()


def test_every_outcome_is_of_a_run_or_of_an_occurrence_that_was_not_run() -> None:
    assert set(Outcome) - EXECUTED == {Outcome.SKIPPED_OVERLAP, Outcome.MISSED}


def test_only_runs_fail() -> None:
    assert FAILURES < EXECUTED
    assert {Outcome.SUCCEEDED, Outcome.CANCELLED} == EXECUTED - FAILURES
