"""Random verbs about locks, for the machine that drives two adapters side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from nvent_sched._model.instants import SECOND_US
from nvent_sched.testing.conformance.builders import an_ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.locks import LockAsk

TTL_US: Final = 9 * SECOND_US
PLACE_US: Final = 5 * SECOND_US


def _ask_of(name: str, number: int, *, waits: bool) -> LockAsk:
    ticket = f"{name}{number}"
    return an_ask(
        ticket,
        name=name,
        holder=ticket,
        ttl_us=TTL_US,
        place_us=PLACE_US if waits else 0,
    )


asks: st.SearchStrategy[list[LockAsk]] = st.lists(
    st.builds(_ask_of, st.sampled_from("xy"), st.integers(0, 3), waits=st.booleans()),
    max_size=4,
)


class LockRules(RuleBasedStateMachine):
    """What can be asked of an adapter about locks, in any order."""

    now: Instant
    ask: Callable[..., Any]

    @rule(wanted=asks)
    def acquire_locks(self, wanted: list[LockAsk]) -> None:
        """Ask for locks, with and without a place in the queue."""
        self.ask(lambda side: side.adapter.acquire_locks(wanted, now=self.now))

    @rule(wanted=asks)
    def renew_locks(self, wanted: list[LockAsk]) -> None:
        """Extend locks, whoever has them."""
        self.ask(lambda side: side.adapter.renew_locks(wanted, now=self.now))

    @rule(wanted=asks)
    def release_locks(self, wanted: list[LockAsk]) -> None:
        """Give locks and places back, whoever has them."""
        self.ask(lambda side: side.adapter.release_locks(wanted, now=self.now))

    @rule(limit=st.integers(0, 4))
    def read_locks(self, limit: int) -> None:
        """List locks."""
        self.ask(lambda side: side.adapter.read_locks(now=self.now, limit=limit))
