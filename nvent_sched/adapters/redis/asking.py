"""What one call asks of the server, and which calls are sent together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched.adapters._owner import Call
    from nvent_sched.adapters.redis.scripts import Script

LARGE: Final = 500
"""From how many arguments on a call keeps the server, and who waits, for milliseconds."""

Replies = list[Any]


@dataclass(slots=True, kw_only=True)
class Asked:
    """What one call asks of the server: scripts or plain commands, in their order.

    Attributes:
        scripts: Each with its arguments.
        numbers: What each is known by to the store, if it is sent again; None for one
            that may be sent twice.
    """

    scripts: list[tuple[Script | str, Sequence[Any]]]
    numbers: list[int | None]

    @property
    def is_large(self) -> bool:
        """Whether nothing that waits should have to wait for it as well."""
        return sum(len(args) for _, args in self.scripts) >= LARGE

    def __call__(self, replies: Replies) -> Replies:
        """Give the replies to the caller."""
        return replies


def asked_of(call: Call[Replies]) -> Asked:
    """Say what a call asks."""
    assert isinstance(call.step, Asked)
    return call.step


def together(calls: Sequence[Call[Replies]]) -> int:
    """Say how many to send at once: all before a large one, or a large one alone."""
    for place, call in enumerate(calls):
        if asked_of(call).is_large:
            return max(1, place)
    return len(calls)
