"""Which of the occurrences that were missed are still run: every policy, then always."""

from __future__ import annotations

from itertools import chain
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.instants import Instant
from nvent_sched._model.policies import Misfire, Policies
from nvent_sched._rules.misfires import Choice, Due, choose_due
from nvent_sched._rules.recurrence import Span

NOW: Final = Instant(1_000)
GRACE_US: Final = 100
LATE: Final = (100, 300, 500, 700, 899)  # of these, 500 and later are worth catching up
ON_TIME: Final = (900, 1_000, 1_100)


def due_at(*times: int) -> list[Due]:
    return [Due(scheduled_time=Instant(t), due_time=Instant(t)) for t in times]


def choose(misfire: Misfire, *times: int, omitted: Span | None = None) -> Choice:
    policies = Policies(
        misfire=misfire,
        misfire_grace_us=GRACE_US,
        catch_up_window_us=500,
        catch_up_max=2,
    )
    return choose_due(due_at(*times), policies=policies, now=NOW, omitted=omitted)


def chosen_of(choice: Choice) -> list[int]:
    return [due.scheduled_time for due in choice.chosen]


def missed_of(choice: Choice) -> list[tuple[int, int, int]]:
    return [(span.first, span.last, span.count) for span, _ in choice.missed]


@pytest.mark.parametrize("misfire", Misfire)
def test_what_is_on_time_is_run_whatever_the_policy(misfire: Misfire) -> None:
    choice = choose(misfire, *ON_TIME)

    assert chosen_of(choice) == [*ON_TIME]
    assert choice.missed == ()


@pytest.mark.parametrize(
    ("misfire", "chosen", "missed"),
    [
        (Misfire.LATEST, [899], [(100, 700, 4)]),
        (Misfire.SKIP, [], [(100, 899, 5)]),
        (Misfire.EARLIEST, [100], [(300, 899, 4)]),
        (Misfire.ALL, [700, 899], [(100, 500, 3)]),
    ],
)
def test_of_what_is_late_the_policy_chooses(
    misfire: Misfire, chosen: list[int], missed: list[tuple[int, int, int]]
) -> None:
    choice = choose(misfire, *LATE)

    assert chosen_of(choice) == chosen
    assert missed_of(choice) == missed


@pytest.mark.parametrize(
    ("misfire", "chosen"),
    [
        (Misfire.LATEST, [*ON_TIME]),
        (Misfire.SKIP, [*ON_TIME]),
        (Misfire.EARLIEST, [100, *ON_TIME]),
        (Misfire.ALL, [700, 899, *ON_TIME]),
    ],
)
def test_what_is_on_time_stands_in_for_the_latest_that_is_late(
    misfire: Misfire, chosen: list[int]
) -> None:
    assert chosen_of(choose(misfire, *LATE, *ON_TIME)) == chosen


def test_catching_up_reaches_back_over_its_window_only() -> None:
    choice = choose(Misfire.ALL, 400, 499, 500)

    assert chosen_of(choice) == [500]
    assert missed_of(choice) == [(400, 499, 2)]


def test_what_is_made_up_for_says_so() -> None:
    choice = choose(Misfire.ALL, 700, 899, 900)

    assert [due.is_made_up for due in choice.chosen] == [True, True, False]


@pytest.mark.parametrize("misfire", Misfire)
def test_what_is_too_much_to_list_is_missed_in_its_place(misfire: Misfire) -> None:
    omitted = Span(first=Instant(200), last=Instant(250), count=50)

    missed = choose(misfire, *LATE, omitted=omitted).missed

    assert omitted in [span for span, _ in missed]
    assert [s.first for s, _ in missed] == sorted(s.first for s, _ in missed)


@pytest.mark.parametrize(
    ("misfire", "reason"),
    [
        (Misfire.LATEST, "missed; the latest one runs for all of them"),
        (Misfire.SKIP, "missed; more than 100 µs late"),
        (Misfire.EARLIEST, "missed; the earliest one runs for all of them"),
        (Misfire.ALL, "missed; older than catching up reaches"),
    ],
)
def test_what_is_missed_has_a_reason(misfire: Misfire, reason: str) -> None:
    assert {why for _, why in choose(misfire, *LATE).missed} == {reason}


@given(
    times=st.lists(st.integers(0, 1_200), unique=True, max_size=30).map(sorted),
    misfire=st.sampled_from(Misfire),
    grace_us=st.integers(0, 300),
    window_us=st.integers(0, 1_000),
    most=st.integers(1, 10),
)
def test_each_is_chosen_or_missed_and_never_both(
    *, times: list[int], misfire: Misfire, grace_us: int, window_us: int, most: int
) -> None:
    policies = Policies(
        misfire=misfire,
        misfire_grace_us=grace_us,
        catch_up_window_us=window_us,
        catch_up_max=most,
    )

    choice = choose_due(due_at(*times), policies=policies, now=NOW)

    chosen = chosen_of(choice)
    missed = [
        [t for t in times if span.first <= t <= span.last] for span, _ in choice.missed
    ]
    assert [len(each) for each in missed] == [s.count for s, _ in choice.missed]
    assert sorted([*chosen, *chain(*missed)]) == times
    assert chosen == sorted(chosen)
    assert set(chosen) >= {t for t in times if t >= NOW - grace_us}
    late = [t for t in chosen if t < NOW - grace_us]
    limits = {Misfire.SKIP: 0, Misfire.ALL: most}
    assert len(late) <= limits.get(misfire, 1)
