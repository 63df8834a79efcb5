"""The moves of a run's life, as a table. Pure.

What is not listed is refused and changes nothing. The table knows states only; what
else a move changes is decided in `settling` and `planning`.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from nvent_sched._model.runs import RunState


class RunMove(StrEnum):
    """What can happen to a run that exists."""

    PROMOTE = "promote"
    CLAIM = "claim"
    AGAIN = "again"
    END = "end"


MOVES: Final = MappingProxyType(
    {
        (RunState.WAITING, RunMove.PROMOTE): RunState.READY,
        (RunState.WAITING, RunMove.END): RunState.FINISHED,
        (RunState.READY, RunMove.CLAIM): RunState.CLAIMED,
        (RunState.READY, RunMove.END): RunState.FINISHED,
        (RunState.CLAIMED, RunMove.AGAIN): RunState.READY,
        (RunState.CLAIMED, RunMove.END): RunState.FINISHED,
    }
)


class IllegalMoveError(AssertionError):
    """A mistake of ours: this move does not exist from this state."""

    def __init__(self, *, state: RunState, move: RunMove) -> None:
        super().__init__(f"a {state} run cannot {move}")
        self.state, self.move = state, move


def advance(state: RunState, move: RunMove) -> RunState:
    """Say the state after a move.

    Raises:
        IllegalMoveError: The table does not list it.
    """
    moved = MOVES.get((state, move))
    if moved is None:
        raise IllegalMoveError(state=state, move=move)
    return moved
