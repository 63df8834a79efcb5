"""Where a run goes while earlier runs of its job are still going. Pure.

A run is *active* from being READY until it ends, *waiting* while it is buffered. An
instance that lost its lease may still be acting until its trust window ends: that is
the one overlap no policy can exclude, and the fencing token is the answer to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

from nvent_sched._model.policies import Overlap
from nvent_sched._model.runs import RunState
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.claims import LiveRun
    from nvent_sched._model.policies import Policies

ASKED_MAX: Final = 1_000
"""How many runs may wait if somebody asks for each of them, whatever else may wait."""
REPLACED = "a newer occurrence took its place"


class Place(StrEnum):
    """What becomes of one more run."""

    START = "start"
    WAIT = "wait"
    SKIP = "skip"


@dataclass(slots=True)
class Floor:
    """Who is going and who waits, while places are given out one after another.

    Attributes:
        active: Ids of runs that are READY or CLAIMED, oldest first.
        waiting: Ids of runs that are buffered, oldest first.
        claimed: Ids of runs that an instance has.
        cancel: Ids of runs to be cancelled, with the reason.
    """

    policies: Policies
    active: list[str]
    waiting: list[str]
    claimed: set[str] = field(default_factory=set)
    cancel: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, live: Sequence[LiveRun], *, policies: Policies, asked: int = 0
    ) -> Floor:
        """Start from the runs that are not finished.

        Args:
            live: Those.
            policies: Of their job.
            asked: How many are made up for because somebody asks for each of them: they
                may wait beyond the buffer, which is for what nobody asks for.

        Raises:
            UsageError: With them more would wait than ever may.
        """
        floor = cls(
            policies=policies,
            active=[run.id for run in live if run.state is not RunState.WAITING],
            waiting=[
                run.id
                for run in live
                if run.state is RunState.WAITING and not run.is_cancelled
            ],
            claimed={run.id for run in live if run.state is RunState.CLAIMED},
        )
        if asked:
            most = max(policies.buffer_max, ASKED_MAX)
            if (room := most - len(floor.waiting)) < asked:
                msg = (
                    f"{len(floor.waiting)} runs of the job wait for their turn, so at "
                    f"most {max(room, 0)} more may, not {asked}: ask again later"
                )
                raise UsageError(msg)
            floor.policies = replace(policies, buffer_max=most)
        return floor

    def blocked_by(self) -> str:
        """Say which run is in the way of one more, and whether it has begun."""
        first = next(iter((*self.active, *self.waiting)), None)
        does = "was still going" if first in self.claimed else "was still waiting"
        return f"run {first} {does}"

    @property
    def has_room(self) -> bool:
        """Whether one more run may be going."""
        if self.policies.overlap is not Overlap.ALLOW_ALL:
            return not self.active
        most = self.policies.running_max
        return most is None or len(self.active) < most

    def promote(self) -> tuple[str, ...]:
        """Let waiting runs go while there is room, oldest first."""
        promoted: list[str] = []
        while self.waiting and self.has_room:
            run_id = self.waiting.pop(0)
            self.active.append(run_id)
            promoted.append(run_id)
        return tuple(promoted)

    def place(self, run_id: str, *, is_made_up: bool = False) -> Place:
        """Find a place for one more run.

        Args:
            run_id: The run.
            is_made_up: It and its like are made up for together, so they wait for one
                another whatever the policy says about skipping.
        """
        if self.has_room and not self.waiting:
            self.active.append(run_id)
            return Place.START
        place = self._behind(is_made_up=is_made_up)
        if place is Place.WAIT:
            self.waiting.append(run_id)
        return place

    def _behind(self, *, is_made_up: bool) -> Place:
        room_to_wait = len(self.waiting) < self.policies.buffer_max
        queue = Place.WAIT if room_to_wait else Place.SKIP
        match self.policies.overlap:
            case Overlap.SKIP:
                return queue if is_made_up else Place.SKIP
            case Overlap.BUFFER_ONE:
                return queue if is_made_up or not self.waiting else Place.SKIP
            case Overlap.BUFFER_ALL | Overlap.ALLOW_ALL:
                return queue
            case Overlap.CANCEL_OTHER:
                for other in (*self.active, *self.waiting):
                    self.cancel.setdefault(other, REPLACED)
                self.waiting.clear()
                return Place.WAIT
            case _:
                assert_never(self.policies.overlap)
