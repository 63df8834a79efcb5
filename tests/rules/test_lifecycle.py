"""The moves of a run's life: the whole product of states and moves."""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest

from nvent_sched._model.runs import RunState
from nvent_sched._rules.lifecycle import IllegalMoveError, RunMove, advance

ALLOWED: Final = {
    (RunState.WAITING, RunMove.PROMOTE): RunState.READY,
    (RunState.READY, RunMove.CLAIM): RunState.CLAIMED,
    (RunState.CLAIMED, RunMove.AGAIN): RunState.READY,
    (RunState.WAITING, RunMove.END): RunState.FINISHED,
    (RunState.READY, RunMove.END): RunState.FINISHED,
    (RunState.CLAIMED, RunMove.END): RunState.FINISHED,
}
PRODUCT: Final = list(product(RunState, RunMove))


@pytest.mark.parametrize(("state", "move"), ALLOWED, ids=str)
def test_an_allowed_move_leads_where_the_table_says(
    state: RunState, move: RunMove
) -> None:
    assert advance(state, move) is ALLOWED[state, move]


@pytest.mark.parametrize(
    ("state", "move"), [each for each in PRODUCT if each not in ALLOWED], ids=str
)
def test_every_other_move_is_refused(state: RunState, move: RunMove) -> None:
    with pytest.raises(IllegalMoveError, match=f"a {state} run cannot {move}") as told:
        advance(state, move)

    assert (told.value.state, told.value.move) == (state, move)


@pytest.mark.parametrize("move", RunMove)
def test_what_is_finished_stays_finished(move: RunMove) -> None:
    with pytest.raises(IllegalMoveError):
        advance(RunState.FINISHED, move)


@pytest.mark.parametrize("state", [s for s in RunState if s is not RunState.FINISHED])
def test_whatever_lives_may_end(state: RunState) -> None:
    assert advance(state, RunMove.END) is RunState.FINISHED
