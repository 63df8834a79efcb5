"""Which calls are sent together: nobody waits for a large one beside it."""

from __future__ import annotations

import pytest

from nvent_sched.adapters._owner import Call
from nvent_sched.adapters.redis.asking import LARGE, Asked, Replies, together

SMALL, BIG = [""], [""] * LARGE


@pytest.mark.parametrize(
    ("calls", "sent"),
    [
        ([SMALL, SMALL, SMALL], 3),
        ([SMALL, SMALL, BIG, SMALL], 2),
        ([BIG, SMALL, SMALL], 1),
        ([BIG, BIG], 1),
    ],
)
async def test_small_calls_are_sent_together_and_a_large_one_alone(
    calls: list[list[str]], sent: int
) -> None:
    group: list[Call[Replies]] = [
        Call(Asked(scripts=[("PING", args)], numbers=[None]), is_write=True)
        for args in calls
    ]

    assert together(group) == sent
