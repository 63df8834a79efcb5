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


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"executor": []}, "executor must be one of .*, not \\[\\]"),
        ({"id": []}, "a job's id must be text, not list"),
        ({"options": 5}, "unknown option 'options'"),
    ],
    ids=["executor", "id", "options"],
)
def test_what_a_job_cannot_be_declared_with_is_said(
    given: dict[str, Any], said: str
) -> None:
    def report() -> None: ...

    with pytest.raises(UsageError, match=said):
        Scheduler("memory:").job(Interval(hours=1), **given)(report)


@pytest.mark.parametrize("front", FRONTS)
def test_a_schedule_that_was_not_made_is_refused_before_there_is_a_function(
    front: type[Any],
) -> None:
    with pytest.raises(
        UsageError, match=r"write @scheduler\.job\(Interval\(\.\.\.\)\)"
    ):
        front("memory:").job(Interval)


def test_two_functions_cannot_share_a_handlers_name() -> None:
    scheduler = Scheduler("memory:")

    @scheduler.job(Interval(hours=1), id="a", handler="h")
    def f() -> None: ...

    with pytest.raises(UsageError, match=r"the handler 'h': .*\.f and .*\.g; give one"):

        @scheduler.job(Interval(hours=1), id="b", handler="h")
        def g() -> None: ...

    with pytest.raises(UsageError, match="the handler 'h'"):

        @scheduler.on("order", handler="h")
        def pack() -> None: ...

    with pytest.raises(UsageError, match="the handler 'h'"):

        @scheduler.handler("h")
        def other() -> None: ...


def test_a_refused_function_leaves_the_one_before_it_in_its_place() -> None:
    scheduler = Scheduler("memory:")

    @scheduler.handler("h")
    def f() -> None: ...

    def g() -> None: ...

    with pytest.raises(UsageError):
        scheduler.job(Interval(hours=1), id="b", handler="h")(g)

    assert scheduler.handler("h")(f) is f
    assert scheduler.job(Interval(hours=1), id="b", handler="h")(f) is f


def test_one_function_may_serve_two_jobs_by_one_name() -> None:
    scheduler = Scheduler("memory:")

    def f() -> None: ...

    for job_id in ("a", "b"):
        scheduler.job(Interval(hours=1), id=job_id, handler="h")(f)


def test_a_module_that_is_imported_twice_declares_the_same_handler() -> None:
    scheduler = Scheduler("memory:")

    for _ in range(2):

        @scheduler.handler("h")
        def f() -> None: ...
