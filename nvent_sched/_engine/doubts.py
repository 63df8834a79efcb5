"""Claims that may be ours without our knowing: the store's answer was lost.

The store may have done what it did not answer. What was claimed then belongs to an
instance that lives and does not act on it, so nobody would take it over before the lease
ends. So whoever asked, asks again: by the ids of the runs that a plan would have claimed,
and for `begin` by the same request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from nvent_sched._model.queries import RunQuery
from nvent_sched._model.runs import RunState
from nvent_sched._rules.settling import hand_back

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvent_sched._engine.core import Core
    from nvent_sched._model.claims import Plan
    from nvent_sched._model.policies import Policies


class Request(NamedTuple):
    """A request for claims that was not answered yet.

    Attributes:
        asked_at_us: When it was first asked; trust counts from there.
    """

    id: str
    asked_at_us: int


class Doubts:
    """What one instance asked for and does not know the answer to."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._claimed: dict[str, Policies] = {}
        self._request: Request | None = None

    def of_plans(self, plans: Iterable[tuple[Plan, Policies]]) -> None:
        """Remember what these plans would have claimed."""
        self._claimed |= {
            run.id: policies
            for plan, policies in plans
            for run in plan.runs
            if run.state is RunState.CLAIMED
        }

    async def resolve(self) -> None:
        """Give back what turns out to be ours: it is claimed again at once.

        Raises:
            StoreError: It could not be found out; it is still in doubt.
        """
        core, ids = self._core, tuple(self._claimed)
        if not ids:
            return
        page = await core.adapter.read_runs(RunQuery(ids=ids, limit=len(ids)))
        for run in page.items:
            is_ours = run.instance == core.instance_id and run.id not in core.claims
            if run.state is RunState.CLAIMED and is_ours:
                core.outbox.settle(hand_back(run), policies=self._claimed[run.id])
        self._claimed.clear()

    @property
    def is_asking(self) -> bool:
        """Whether a request for claims was not answered yet."""
        return self._request is not None

    def request(self) -> Request:
        """Say by which request to ask for claims: the last one, if it was not answered."""
        if self._request is None:
            now_us = self._core.clock.monotonic_us()
            self._request = Request(id=uuid4().hex, asked_at_us=now_us)
        return self._request

    def answered(self) -> None:
        """Note that the request was answered."""
        self._request = None
