"""A function defined again: in a notebook the newest runs, in a file it is a mistake."""

from __future__ import annotations

import sys
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched import Interval
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched import Scheduler
    from nvent_sched.testing import ManualClock

    Cell = Callable[[str], None]
    Handler = Callable[..., Any]


@pytest.fixture
def cell(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> Cell:
    """Execute text as a kernel does: in a `__main__` that is no file."""
    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    vars(main).update(scheduler=scheduler, Interval=Interval)

    def execute(text: str) -> None:
        exec(text, vars(main))  # noqa: S102  our own words

    return execute


async def results_of(scheduler: Scheduler) -> list[object]:
    return [run.result for run in (await scheduler.runs("report")).items[::-1]]


DECLARED = """
@scheduler.job(Interval(hours={hours}), id="report")
{kind} {name}():
    return {result}
"""


@pytest.mark.parametrize(
    ("kind", "name"),
    [("def", "report"), ("def", "better"), ("async def", "report")],
    ids=["same name", "another name", "another kind"],
)
async def test_the_newest_definition_in_a_notebook_runs(
    cell: Cell, scheduler: Scheduler, clock: ManualClock, kind: str, name: str
) -> None:
    cell(DECLARED.format(hours=1, kind="def", name="report", result="'old'"))
    await clock.advance(timedelta(hours=1))

    cell(DECLARED.format(hours=1, kind=kind, name=name, result="'new'"))
    await clock.advance(timedelta(hours=1))

    assert await results_of(scheduler) == ["old", "new"]


async def test_the_newest_schedule_in_a_notebook_holds(
    cell: Cell, scheduler: Scheduler, clock: ManualClock
) -> None:
    cell(DECLARED.format(hours=1, kind="def", name="report", result="'old'"))
    await clock.run_until_idle()

    cell(DECLARED.format(hours=2, kind="def", name="report", result="'new'"))
    await clock.advance(timedelta(hours=4))

    assert await results_of(scheduler) == ["new", "new"]


async def test_a_function_that_was_scheduled_may_be_defined_again(
    cell: Cell, scheduler: Scheduler, clock: ManualClock
) -> None:
    functions: list[Handler] = []
    for result in ("old", "new"):
        cell(f"def report(): return {result!r}")
        functions.append(vars(sys.modules["__main__"])["report"])

    for function in functions:
        await scheduler.schedule(function, Interval(hours=1), id="report")
    await clock.advance(timedelta(hours=1))

    assert await results_of(scheduler) == ["new"]


async def test_a_handler_in_a_notebook_may_be_defined_again(
    cell: Cell, scheduler: Scheduler, clock: ManualClock
) -> None:
    for result in ("old", "new"):
        cell(f"@scheduler.handler('h')\ndef {result}(): return {result!r}")

    await scheduler.schedule("h", Interval(hours=1), id="report")
    await clock.advance(timedelta(hours=1))

    assert await results_of(scheduler) == ["new"]


async def test_a_cell_cannot_take_a_handler_away_from_another_job(
    cell: Cell, scheduler: Scheduler, clock: ManualClock
) -> None:
    one = "@scheduler.job(Interval(hours=1), id='report', handler='h')\n"
    cell(f"{one}def report(): return 'mine'")

    with pytest.raises(UsageError, match="the handler 'h': report and other; give one"):
        cell(f"{one.replace('report', 'other')}def other(): return 'theirs'")
    await clock.advance(timedelta(hours=1))

    assert await results_of(scheduler) == ["mine"]


async def test_two_functions_of_a_file_cannot_share_a_job(scheduler: Scheduler) -> None:
    @scheduler.job(Interval(hours=1), id="report")
    def report() -> None: ...

    with pytest.raises(UsageError, match="give one of them another id"):

        @scheduler.job(Interval(hours=1), id="report")
        def better() -> None: ...


async def test_a_function_made_inside_another_is_told_how_to_get_a_name(
    scheduler: Scheduler,
) -> None:
    def made(number: int) -> Handler:
        def report() -> int:
            return number

        return report

    await scheduler.schedule(made(1), Interval(hours=1), id="one")
    with pytest.raises(UsageError, match=r"scheduler.handler\('a-name'\)\(function\)"):
        await scheduler.schedule(made(2), Interval(hours=1), id="two")

    second = scheduler.handler("second")(made(2))
    assert (
        await scheduler.schedule(second, Interval(hours=1), id="two")
    ).handler == "second"


class Worker:
    """Has a method that is a handler."""

    def __init__(self, name: str) -> None:
        self._name = name

    def work(self) -> str:
        return self._name


async def test_methods_of_two_objects_need_names_of_their_own(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    one, other = Worker("one"), Worker("other")

    for hours in (1, 2):
        await scheduler.schedule(one.work, Interval(hours=hours), id="report")
    with pytest.raises(UsageError, match=r"handler\('a-name'\)\(an_object.method\)"):
        await scheduler.schedule(other.work, Interval(hours=1), id="other")
    named = scheduler.handler("others")(other.work)
    await scheduler.schedule(named, Interval(hours=1), id="other")
    await clock.advance(timedelta(hours=2))

    assert await results_of(scheduler) == ["one"]
    assert {run.result for run in await scheduler.runs("other")} == {"other"}


async def test_an_object_that_a_notebook_makes_anew_takes_the_place_of_the_old(
    scheduler: Scheduler, clock: ManualClock, cell: Cell
) -> None:
    cell("class Worker:\n    def work(self): return self.name")
    for name in ("old", "new"):
        cell(f"worker = Worker(); worker.name = {name!r}")
        worker = vars(sys.modules["__main__"])["worker"]
        await scheduler.schedule(worker.work, Interval(hours=1), id="report")
    await clock.advance(timedelta(hours=1))

    assert await results_of(scheduler) == ["new"]
