"""`nvent-sched verify`: a user's own store is judged as our simulations are."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import anyio
import pytest

from nvent_sched import Interval, RunContext, Scheduler
from nvent_sched._model.instants import instant_from
from nvent_sched.adapters import open_adapter
from nvent_sched.cli import main
from nvent_sched.testing import ManualClock
from nvent_sched.testing.checker import journal_of, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., tuple[int, str, str]]

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def make_store(url: str, *, history_runs: int = 100) -> None:
    """A minute of three jobs: one runs well, one is flaky, one was paused meanwhile."""
    clock = ManualClock()
    async with Scheduler(
        url,
        clock=clock,
        heartbeat=MINUTE,
        dead_after=3 * MINUTE,
        history_runs=history_runs,
    ) as scheduler:

        async def work(run: RunContext) -> None:
            run.log("fine")

        async def flaky() -> NoReturn:
            raise ConnectionError

        await scheduler.schedule(work, Interval(seconds=5), id="steady")
        await scheduler.schedule(flaky, Interval(seconds=10), id="flaky")
        await scheduler.schedule(work, Interval(seconds=7), id="paused")
        await clock.advance(20 * SECOND)
        await scheduler.pause("paused")
        await clock.advance(20 * SECOND)
        await scheduler.resume("paused")
        await clock.advance(20 * SECOND)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "jobs.db"
    anyio.run(partial(make_store, f"sqlite:///{path}"))
    return path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path / "jobs.db"))


@pytest.fixture
def ask(store: Path, anyio_backend: str, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command on a copy of the store; give its code and what it said."""

    def run(*words: str) -> tuple[int, str, str]:
        common = ["--store", f"sqlite:///{store}", "--backend", anyio_backend]
        code = main([*common, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def change(store: Path, sql: str) -> None:
    with closing(sqlite3.connect(store)) as file, file:
        assert file.execute(sql).rowcount == 1


def test_a_history_that_kept_its_promises_is_a_yes(ask: Ask) -> None:
    code, out, err = ask("verify")

    assert code == 0
    assert "every promise was kept: 3 jobs" in out
    assert "not judged: paused before" in err


def test_what_was_verified_is_there_as_json(ask: Ask) -> None:
    code, out, _ = ask("verify", "--json", "--job", "steady")

    answer = json.loads(out)
    assert code == 0
    assert (answer["ok"], answer["jobs"], answer["occurrences"]) == (True, 1, 12)
    assert answer["violations"] == answer["unjudged"] == []


def test_a_record_that_is_gone_is_a_no_and_is_named(ask: Ask, store: Path) -> None:
    gone = "steady@2026-01-01T00:00:30Z"
    change(store, f"DELETE FROM runs WHERE id = '{gone}'")  # noqa: S608  ours

    code, out, _ = ask("verify")
    answer = json.loads(ask("verify", "--json")[1])

    assert code == 1
    assert "✗ missing" in out
    assert "1 violation" in out
    (found,) = answer["violations"]
    assert (found["wrong"], found["job_id"]) == ("missing", "steady")
    assert found["at"] == "2026-01-01T00:00:30+00:00"


def test_only_what_was_since_then_is_judged(ask: Ask, store: Path) -> None:
    gone = "steady@2026-01-01T00:00:30Z"
    change(store, f"DELETE FROM runs WHERE id = '{gone}'")  # noqa: S608  ours

    assert ask("verify", "--since", "2026-01-01T00:00:30")[0] == 0
    assert ask("verify", "--since", "2026-01-01T00:00:29")[0] == 1
    assert ask("verify", "--job", "flaky")[0] == 0


def test_a_job_that_does_not_exist_cannot_be_verified(ask: Ask) -> None:
    code, _, err = ask("verify", "--job", "nope")

    assert code == 2
    assert "no job has the id 'nope'" in err


def test_a_pruned_history_says_what_it_cannot_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'short.db'}"
    anyio.run(partial(make_store, url, history_runs=4))

    code = main(["--store", url, "verify"])
    said = capsys.readouterr()

    assert code == 0
    assert "not judged: steady up to" in said.err
    assert "pruned" in said.err


@pytest.mark.parametrize("url", ["memory:", "sqlite:///:memory:"])
async def test_a_busy_store_is_read_without_contradiction(url: str) -> None:
    clock, adapter = ManualClock(), open_adapter(url)
    async with Scheduler(
        adapter, clock=clock, heartbeat=MINUTE, dead_after=3 * MINUTE
    ) as scheduler:

        async def work() -> None:
            await clock.sleep(timedelta(seconds=20))

        for job_id in "abc":
            await scheduler.schedule(work, Interval(seconds=30), id=job_id)
        reports = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clock.advance, 30 * MINUTE)
            for _ in range(20):
                journal = await journal_of(adapter, now=instant_from(clock.moment))
                reports.append(judge(journal))
        journal = await journal_of(adapter, now=instant_from(clock.moment))

    assert [r.violations for r in reports if not r.is_clean] == []
    assert judge(journal).occurrences == 3 * 60
    assert judge(journal).is_clean


@pytest.mark.parametrize("url", ["memory:", "sqlite:///:memory:"])
async def test_waits_that_are_over_owe_nothing_and_are_not_spoken_of(url: str) -> None:
    clock, adapter = ManualClock(), open_adapter(url)
    async with Scheduler(adapter, clock=clock) as scheduler:
        await scheduler.sleep("nothing", seconds=0)
        await scheduler.sleep_until("past", clock.moment - MINUTE)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(scheduler.sleep, "slept", seconds=1))
            await clock.advance(2 * SECOND)
        report = judge(await journal_of(adapter, now=instant_from(clock.moment)))

    assert (report.violations, report.unjudged, report.jobs) == ((), (), 0)
