"""How long records are kept: what went wrong is asked for later than what went well."""

from __future__ import annotations

from typing import Any

import pytest

from nvent_sched._model.instants import Instant
from nvent_sched._model.runs import Outcome
from nvent_sched._rules.retention import DAY_US, RETENTION, Retention
from nvent_sched.errors import UsageError
from tests.rules.conftest import NOON

WEEK, MONTH = 7, 30


@pytest.mark.parametrize(
    ("outcome", "days"),
    [
        (Outcome.SUCCEEDED, WEEK),
        (Outcome.CANCELLED, WEEK),
        (Outcome.FAILED, MONTH),
        (Outcome.TIMED_OUT, MONTH),
        (Outcome.LOST, MONTH),
        (Outcome.SKIPPED_OVERLAP, MONTH),
        (Outcome.MISSED, MONTH),
        (Outcome.DEAD_LETTERED, MONTH),
    ],
)
def test_each_outcome_is_kept_for_its_time(outcome: Outcome, days: int) -> None:
    assert RETENTION.keep_until(outcome, ended_at=NOON) == NOON + days * DAY_US


@pytest.mark.parametrize("outcome", Outcome)
def test_nothing_is_kept_at_all_if_nothing_shall_be(outcome: Outcome) -> None:
    nothing = Retention(runs_max=1, success_us=0, failure_us=0)

    assert nothing.keep_until(outcome, ended_at=Instant(5)) == 5


@pytest.mark.parametrize(
    "given", [{"runs_max": 0}, {"success_us": -1}, {"failure_us": -1}]
)
def test_what_keeps_less_than_nothing_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"not .*{next(iter(given.values()))} "):
        Retention(**given)
