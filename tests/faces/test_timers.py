"""The table "From loose timers" in the README: both sides of a row do the same."""

from __future__ import annotations

import asyncio  # noqa: TID251  what the README replaces
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest
import trio

import nvent_sched
from nvent_sched import BlockingScheduler, Scheduler
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

README: Final = Path(__file__).parents[2] / "README.md"
ROW: Final = re.compile(
    r"^\| ([^|]+) \| (`[^|]+`) \| (`[^|]+`) \|$", flags=re.MULTILINE
)
SECTION: Final = README.read_text().partition("## From loose timers")[2]
TABLE: Final = {
    name.strip("`"): (before, after)
    for name, before, after in ROW.findall(SECTION.partition("\n## ")[0])
}
ITS_LOOP: Final = {"trio.sleep_until": "trio", "asyncio.call_later": "asyncio"}
TINY: Final = 0.01
"""An hour, where time is real."""
RARE_BEATS: Final[dict[str, Any]] = {
    "heartbeat": timedelta(hours=1),
    "dead_after": timedelta(hours=4),
    "lease": timedelta(hours=8),
}
START: Final = datetime(2026, 3, 2, 10, tzinfo=UTC)
ROWS: Final = [
    "sleep, then do",
    "trio.sleep_until",
    "asyncio.call_later",
    "threading.Timer",
    "interval loop",
    "cron loop",
    "watchdog thread",
    "time limit",
]
AFTER: Final = {
    "sleep, then do": timedelta(hours=24),
    "trio.sleep_until": timedelta(hours=2),
    "asyncio.call_later": timedelta(hours=1),
    "threading.Timer": timedelta(hours=1),
    "interval loop": timedelta(minutes=15),
    "cron loop": timedelta(hours=16),
    "watchdog thread": timedelta(hours=1),
    "time limit": timedelta(hours=2),
}


def program_in(
    cell: str, scope: dict[str, Any]
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Make a function of the code in a cell."""
    lines = "\n".join(re.findall(r"`([^`]+)`", cell))
    source = f"async def program():\n{indent(lines, '    ')}\n"
    exec(compile(source, "README.md", "exec"), scope)  # noqa: S102  our own README
    program: Callable[[], Coroutine[Any, Any, None]] = scope["program"]
    return program


class Reminders:
    """What both sides call.

    Attributes:
        made: Whom they reminded.
    """

    def __init__(self) -> None:
        self.made: list[str] = []
        self.is_made = anyio.Event()
        self._token = anyio.lowlevel.current_token()

    async def remind(self, name: str) -> None:
        self.remind_soon(name)

    def remind_soon(self, name: str) -> None:
        self.made.append(name)
        self.is_made.set()

    def remind_now(self, name: str) -> None:
        anyio.from_thread.run_sync(self.remind_soon, name, token=self._token)

    async def alarm(self, stall: dict[str, Any]) -> None:
        assert stall["key"] == "import"
        self.remind_soon("ada")

    async def endless(self) -> None:
        await anyio.Event().wait()

    def scope(self) -> dict[str, Any]:
        names = ("remind", "remind_soon", "remind_now", "alarm", "endless")
        return {name: getattr(self, name) for name in names}


def test_the_table_has_these_rows() -> None:
    assert set(TABLE) >= set(ROWS)


@pytest.mark.parametrize("name", ROWS)
async def test_before_it_was_a_loose_timer(name: str, anyio_backend_name: str) -> None:
    if ITS_LOOP.get(name, anyio_backend_name) != anyio_backend_name:
        return
    reminders = Reminders()
    scope = reminders.scope() | {
        "anyio": anyio,
        "asyncio": asyncio,
        "trio": trio,
        "threading": threading,
        "hour": TINY,
        "timer": anyio.CancelScope(),  # of the sign before
        "seconds_until": lambda _: TINY,
    }
    before = program_in(TABLE[name][0], scope)
    if name == "time limit":
        with pytest.raises(TimeoutError):
            await before()
        return
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(before)
        await reminders.is_made.wait()
        tasks.cancel_scope.cancel()

    assert reminders.made == ["ada"]


@pytest.mark.parametrize("name", [row for row in ROWS if row != "threading.Timer"])
async def test_after_it_is_a_stored_one(name: str) -> None:
    clock, reminders, errors = ManualClock(START), Reminders(), list[BaseException]()
    noon = START + timedelta(hours=2)
    async with Scheduler("memory:", clock=clock, **RARE_BEATS) as scheduler:
        scope = vars(nvent_sched) | reminders.scope()
        scope |= {"scheduler": scheduler, "timedelta": timedelta, "noon": noon}
        after = program_in(TABLE[name][1], scope)

        async def run() -> None:
            try:
                await after()
            except TimeoutError as error:
                errors.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await clock.advance(AFTER[name] - timedelta(seconds=1))
            too_early = [*reminders.made, *errors]
            await clock.advance(timedelta(seconds=1))
            tasks.cancel_scope.cancel()

    assert too_early == []
    assert (reminders.made, len(errors)) == (
        ([], 1) if name == "time limit" else (["ada"], 0)
    )


def test_after_a_thread_s_timer_it_is_a_stored_one(anyio_backend_name: str) -> None:
    clock, made = ManualClock(START), list[str]()
    with BlockingScheduler(
        "memory:", clock=clock, backend=anyio_backend_name
    ) as blocking:
        scope = vars(nvent_sched) | {"blocking": blocking, "timedelta": timedelta}
        scope |= {"remind_now": made.append}
        (line,) = re.findall(r"`([^`]+)`", TABLE["threading.Timer"][1])
        exec(line, scope)  # noqa: S102  our own README
        job = blocking.get_job("remind-ada")

    assert job.next_time == START + timedelta(hours=1)
    assert (job.args, made) == (("ada",), [])
