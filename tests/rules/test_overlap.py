"""Where a run goes while others of its job are going: every policy, then always."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.claims import LiveRun
from nvent_sched._model.instants import Instant
from nvent_sched._model.policies import Overlap, Policies
from nvent_sched._model.runs import RunState
from nvent_sched._rules.overlap import REPLACED, Floor, Place
from nvent_sched.errors import UsageError

AT: Final = Instant(1_000)
START, WAIT, SKIP = Place.START, Place.WAIT, Place.SKIP
R, C, W = RunState.READY, RunState.CLAIMED, RunState.WAITING


def a_live_run(nth: int, state: RunState, *, is_cancelled: bool = False) -> LiveRun:
    return LiveRun(
        id=f"{nth}",
        state=state,
        scheduled_time=AT,
        due_time=AT,
        is_cancelled=is_cancelled,
    )


def a_floor(*states: RunState, asked: int = 0, **policies: object) -> Floor:
    live = [a_live_run(nth, state) for nth, state in enumerate(states)]
    chosen = Policies(**policies)  # type: ignore[arg-type]
    return Floor.of(live, policies=chosen, asked=asked)


@pytest.mark.parametrize("overlap", Overlap)
def test_a_run_with_nobody_in_its_way_starts(overlap: Overlap) -> None:
    assert a_floor(overlap=overlap).place("new") is START


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        ([C], "run 0 was still going"),
        ([R], "run 0 was still waiting"),
        ([W], "run 0 was still waiting"),
        ([C, W], "run 0 was still going"),
    ],
)
def test_who_is_left_out_is_told_what_is_in_its_way(
    live: list[RunState], reason: str
) -> None:
    floor = a_floor(*live)

    assert floor.place("new") is SKIP
    assert floor.blocked_by() == reason


@pytest.mark.parametrize(
    ("overlap", "live", "places"),
    [
        (Overlap.SKIP, [R], [SKIP, SKIP]),
        (Overlap.SKIP, [C], [SKIP, SKIP]),
        (Overlap.BUFFER_ONE, [C], [WAIT, SKIP]),
        (Overlap.BUFFER_ONE, [C, W], [SKIP, SKIP]),
        (Overlap.BUFFER_ALL, [C], [WAIT, WAIT, SKIP]),
        (Overlap.BUFFER_ALL, [C, W], [WAIT, SKIP]),
        (Overlap.CANCEL_OTHER, [C], [WAIT, WAIT, WAIT]),
        (Overlap.ALLOW_ALL, [C, R], [START, WAIT, WAIT, SKIP]),
    ],
)
def test_what_comes_while_a_run_is_going_goes_by_the_policy(
    overlap: Overlap, live: list[RunState], places: list[Place]
) -> None:
    floor = a_floor(*live, overlap=overlap, running_max=3, buffer_max=2)

    assert [floor.place(f"new {nth}") for nth in range(len(places))] == places


@pytest.mark.parametrize(
    "overlap", [Overlap.SKIP, Overlap.BUFFER_ONE, Overlap.BUFFER_ALL]
)
def test_what_is_made_up_queues_up_within_the_buffer(overlap: Overlap) -> None:
    floor = a_floor(C, overlap=overlap, buffer_max=2)

    places = [floor.place(f"new {nth}", is_made_up=True) for nth in range(3)]

    assert places == [WAIT, WAIT, SKIP]


def test_what_somebody_asks_for_may_wait_beyond_the_buffer() -> None:
    floor = a_floor(C, *[W] * 3, overlap=Overlap.SKIP, buffer_max=2, asked=997)

    places = {floor.place(f"new {nth}", is_made_up=True) for nth in range(997)}

    assert places == {WAIT}


@pytest.mark.parametrize(("waiting", "asked"), [(3, 998), (0, 1_001)])
def test_more_than_ever_may_wait_is_refused(waiting: int, asked: int) -> None:
    with pytest.raises(UsageError, match="ask again later"):
        a_floor(C, *[W] * waiting, overlap=Overlap.SKIP, buffer_max=2, asked=asked)


def test_without_a_limit_everything_starts() -> None:
    floor = a_floor(*[C] * 50, overlap=Overlap.ALLOW_ALL)

    assert {floor.place(f"new {nth}") for nth in range(50)} == {START}


def test_a_newer_occurrence_cancels_whoever_goes_and_whoever_waits() -> None:
    floor = a_floor(C, W, overlap=Overlap.CANCEL_OTHER)

    floor.place("newer")
    floor.place("newest")

    assert floor.cancel == dict.fromkeys(["0", "1", "newer"], REPLACED)
    assert floor.waiting == ["newest"]


def test_nobody_passes_those_who_wait() -> None:
    floor = a_floor(W, overlap=Overlap.BUFFER_ALL)

    assert floor.place("new") is WAIT


@pytest.mark.parametrize(
    ("live", "promoted"),
    [([W, W], ("0",)), ([C, W], ()), ([R, W], ()), ([], ())],
)
def test_the_one_that_waits_longest_goes_next(
    live: list[RunState], promoted: tuple[str, ...]
) -> None:
    floor = a_floor(*live, overlap=Overlap.BUFFER_ALL)

    assert floor.promote() == promoted


def test_as_many_are_promoted_as_there_is_room_for() -> None:
    floor = a_floor(C, W, W, W, overlap=Overlap.ALLOW_ALL, running_max=3)

    assert floor.promote() == ("1", "2")
    assert floor.waiting == ["3"]


def test_what_waits_and_is_cancelled_is_not_promoted() -> None:
    live = [a_live_run(0, W, is_cancelled=True), a_live_run(1, W)]

    assert Floor.of(live, policies=Policies()).promote() == ("1",)


@given(
    overlap=st.sampled_from(Overlap),
    states=st.lists(st.sampled_from((C, R, W)), max_size=6),
    running_max=st.none() | st.integers(1, 4),
    buffer_max=st.integers(1, 4),
    arrivals=st.lists(st.booleans(), max_size=10),
)
def test_there_are_never_more_than_allowed(
    *,
    overlap: Overlap,
    states: list[RunState],
    running_max: int | None,
    buffer_max: int,
    arrivals: list[bool],
) -> None:
    floor = a_floor(
        *states, overlap=overlap, running_max=running_max, buffer_max=buffer_max
    )
    most = running_max if overlap is Overlap.ALLOW_ALL else 1
    before = len(floor.active), len(floor.waiting)

    floor.promote()
    places = [
        floor.place(f"new {nth}", is_made_up=is_made_up)
        for nth, is_made_up in enumerate(arrivals)
    ]

    assert most is None or len(floor.active) <= max(most, before[0])
    assert len(floor.waiting) <= max(buffer_max, before[1])
    placed = {f"new {n}" for n, place in enumerate(places) if place is not SKIP}
    assert placed <= {*floor.active, *floor.waiting, *floor.cancel}
    assert not set(floor.waiting) & {*floor.active, *floor.cancel}
    assert not floor.cancel or overlap is Overlap.CANCEL_OTHER
