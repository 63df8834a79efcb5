"""What the decorators refuse at once, so that no function is left out in silence."""

from __future__ import annotations

from typing import Any

import pytest

from nvent_sched import BlockingScheduler, Interval, Scheduler
from nvent_sched.errors import UsageError

FRONTS = [Scheduler, BlockingScheduler]


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(
    ("decorator", "cure"),
    [
        ("handler", r"write @scheduler\.handler\(\)"),
        ("job", r"write @scheduler\.job\(Interval\(\.\.\.\)\)"),
        ("on", r"write @scheduler\.on\('a-trigger'\)"),
    ],
)
def test_a_decorator_without_parentheses_is_refused(
    front: type[Any], decorator: str, cure: str
) -> None:
    def report() -> None: ...

    with pytest.raises(UsageError, match=f"given .*report.*: {cure}"):
        getattr(front("memory:"), decorator)(report)


@pytest.mark.parametrize("front", FRONTS)
def test_a_schedule_that_was_not_made_is_refused_before_there_is_a_function(
    front: type[Any],
) -> None:
    with pytest.raises(
        UsageError, match=r"write @scheduler\.job\(Interval\(\.\.\.\)\)"
    ):
        front("memory:").job(Interval)
