"""The next occurrences of a schedule, as it says them itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

import pytest

from nvent_sched._model.instants import SECOND_US, Instant, instant_from
from nvent_sched._model.policies import Policies
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.previewing import preview_of, preview_of_job
from nvent_sched._rules.schedules import Interval, OneTime
from tests.rules.conftest import NOON as START
from tests.rules.conftest import register_new

if TYPE_CHECKING:
    from nvent_sched._model.schedules import Schedule

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)


def after_noon(minutes: int) -> Instant:
    return Instant(START + minutes * 60 * SECOND_US)


@pytest.mark.parametrize(
    "schedule",
    [Cron("*/7 * * * *", "Asia/Tokyo"), Interval(minutes=7), OneTime(NOON + HOUR)],
    ids=repr,
)
@pytest.mark.parametrize("n", [-1, 0, 1, 5])
def test_a_preview_lists_the_occurrences_and_no_more_than_asked_for(
    schedule: Schedule, n: int
) -> None:
    previews = preview_of(schedule, after=NOON, n=n)

    moments = [preview.moment for preview in previews]
    assert moments == list(islice(schedule.occurrences(NOON), max(0, n)))
    assert all(moment > NOON for moment in moments)


def test_a_preview_is_empty_when_there_is_nothing_to_come() -> None:
    assert preview_of(OneTime(NOON), after=NOON, n=5) == ()


def test_a_preview_says_what_a_clock_change_does() -> None:
    nightly = Cron("30 2 * * *", "Europe/Paris")
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)

    first, second = preview_of(nightly, after=before, n=2)

    assert first.note is not None
    assert second.note is None


def test_elapsed_time_knows_no_clock_change() -> None:
    previews = preview_of(Interval(hours=12), after=NOON, n=500)

    assert {preview.note for preview in previews} == {None}


@pytest.mark.parametrize(
    ("policies", "minutes"),
    [
        (Policies(), [1, 2, 3, 4, 5]),
        (Policies(starts_at=after_noon(3)), [3, 4, 5, 6, 7]),
        (Policies(ends_at=after_noon(3)), [1, 2, 3]),
        (Policies(runs_max=2), [1, 2]),
        (Policies(starts_at=after_noon(3), ends_at=after_noon(4)), [3, 4]),
    ],
)
def test_a_job_is_previewed_within_its_bounds(
    policies: Policies, minutes: list[int]
) -> None:
    job = register_new(Interval(minutes=1), policies)

    previews = preview_of_job(job, now=START, n=5)

    moments = [instant_from(each.moment) for each in previews]
    assert moments == [after_noon(minute) for minute in minutes]
