"""The programs in the README are programs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from nvent_sched import Scheduler, errors
from nvent_sched.testing import ManualClock

if TYPE_CHECKING:
    import pytest

RARE_BEATS: dict[str, Any] = {
    "heartbeat": timedelta(hours=1),
    "dead_after": timedelta(hours=4),
    "lease": timedelta(hours=8),
}
README = Path(__file__).parents[2] / "README.md"


def programs() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


def program(words: str) -> str:
    """Find the one program with these words in it."""
    (found,) = (source for source in programs() if words in source)
    return found


def run(source: str) -> dict[str, Any]:
    scope: dict[str, Any] = {"__name__": "readme"}
    exec(compile(source, str(README), "exec"), scope)  # noqa: S102  our own README
    return scope


def test_the_program_at_the_top_declares_its_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    scope = run(program("send_reminder"))

    assert "not running" in repr(scope["scheduler"])


def test_each_error_is_where_the_readme_says() -> None:
    named = set(re.findall(r"`(\w+Error)`", README.read_text()))

    assert "`nvent_sched.errors`" in README.read_text()
    assert {"LockLostError", "AwaitCancelledError"} <= named
    assert named <= vars(errors).keys()


def test_the_plain_script_runs_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    run(program("run_forever"))

    assert capsys.readouterr().out == "succeeded\n"


def test_the_notebook_has_something_to_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    scheduler = run(program("scheduler.dashboard"))["scheduler"]

    try:
        assert "refresh" in scheduler.dashboard().to_html()
    finally:
        scheduler.stop()


async def test_the_test_of_a_job_passes() -> None:
    scope = run(program("test_the_report"))

    await scope["test_the_report_runs_hourly"]()


async def test_the_order_is_reminded_and_called_in_time() -> None:
    scope = run(program("wait_for_next"))
    clock, told = ManualClock(datetime(2026, 3, 5, 18, tzinfo=UTC)), list[object]()

    async def remind(number: int) -> None:
        told.append((number, clock.moment.isoformat(" ", "hours")))

    async def call(number: int, *, token: int) -> None:
        told.append((number, clock.moment.isoformat(" ", "hours"), token > 0))

    scope |= {"remind": remind, "call": call}
    scope["order"].__globals__.update(scope)
    async with (
        Scheduler("memory:", clock=clock, **RARE_BEATS) as scheduler,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(scope["order"], scheduler, 42)
        await clock.advance(timedelta(days=5))

    assert told == [(42, "2026-03-06 18+00:00"), (42, "2026-03-09 09+00:00", True)]


async def test_the_flow_is_watched_until_its_end_and_paged_for_when_it_stalls(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scope = run(program("scheduler.watchdog"))
    clock = ManualClock()
    async with Scheduler("memory:", clock=clock, **RARE_BEATS) as scheduler:
        await scope["flow"](scheduler, ["one", "two"])
        await clock.advance(timedelta(hours=1))
        well = capsys.readouterr().out
        await scheduler.start_watchdog(
            "flow-7", timeout=timedelta(minutes=5), on_stall=scope["page"]
        )
        await clock.advance(timedelta(hours=1))

    assert well == ""
    assert capsys.readouterr().out == "flow-7: no sign of life for 5 min\n"


async def test_what_the_shop_sells_is_billed_and_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scope = run(program("shop.trigger"))

    async with scope["shop"] as shop:
        await scope["sell"]()
        fire = await shop.wait_for("trigger:order!order-7")
        for name in ("bill", "pack"):
            await shop.wait_for(f"on:order:{name}!{fire.id}")
        seen = {each.name: each for each in await shop.triggers()}

    assert seen["order"].subscribers == ("bill", "pack")
    assert seen["order"].delivered == 2
    assert seen["report"].next_time is not None
