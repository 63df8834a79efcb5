"""Commands that ask a store or change one thing in it, run in this process."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from nvent_sched import Cron, Interval, RunContext, Scheduler
from nvent_sched.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ask = Callable[..., tuple[int, str, str]]


async def make_store(url: str) -> None:
    """Three jobs; one ran well, one failed."""
    scheduler = Scheduler(url)

    @scheduler.job(Cron("0 2 * * *"), id="nightly", name="Clean up", tags=["ops"])
    def nightly(run: RunContext) -> str:
        run.log("42 rows")
        return "42 rows"

    @scheduler.job(Interval(hours=6), id="import", metadata={"owner": "data"})
    async def import_rows() -> None:
        msg = "the [bold]source[/bold]\nis gone"
        raise ConnectionError(msg)

    @scheduler.job(Interval(hours=12), id="idle")
    async def idle() -> None: ...

    async with scheduler:
        for job, key in (("nightly", "first"), ("import", "second")):
            run = await scheduler.run_now(job, idempotency_key=key)
            await scheduler.wait_for(run)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "jobs.db"
    anyio.run(partial(make_store, f"sqlite:///{path}"))
    return path


@pytest.fixture
def ask(
    made: Path,
    tmp_path: Path,
    anyio_backend: str,
    capsys: pytest.CaptureFixture[str],
) -> Ask:
    """Run a command on a copy of the store; give its code and what it said."""
    path = shutil.copy(made, tmp_path / "jobs.db")

    def run(*words: str) -> tuple[int, str, str]:
        common = ["--store", f"sqlite:///{path}", "--backend", anyio_backend]
        code = main([*common, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def parsed(answer: tuple[int, str, str]) -> Any:  # noqa: ANN401  JSON
    code, out, err = answer
    assert (code, err) == (0, "")
    return json.loads(out)


def test_jobs_lists_each_job_with_its_schedule_in_words(ask: Ask) -> None:
    code, out, _ = ask("jobs")

    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ["id", "status", "next", "schedule", "tags", "handler"]
    assert [line[:2] for line in lines[1:]] == [
        ["idle", "active"],
        ["import", "active"],
        ["nightly", "active"],
    ]
    assert "At 02:00" in out


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ([], ["idle", "import", "nightly"]),
        (["--tag", "ops"], ["nightly"]),
        (["--text", "CLEAN"], ["nightly"]),
        (["--status", "paused"], []),
        (["--limit", "1"], ["idle"]),
    ],
)
def test_jobs_lists_what_matches(ask: Ask, words: list[str], ids: list[str]) -> None:
    answer = parsed(ask("jobs", "--json", *words))

    assert [job["id"] for job in answer["jobs"]] == ids
    assert answer["more"] is ("--limit" in words)


def test_show_tells_all_there_is_to_know_about_a_job(ask: Ask) -> None:
    code, out, _ = ask("show", "import")

    assert code == 0
    for part in (
        "every 6 hours",
        "overlap skip, misfire latest",
        '{"owner": "data"}',
        "1 (1 failed)",
        "✗ failed",
        "import!second",
        "raise ConnectionError(msg)",
        "the [bold]source[/bold]",
    ):
        assert part in out
    assert "Traceback" in out


def test_each_moment_that_is_shown_says_its_zone(ask: Ask) -> None:
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    shown = "\n".join(ask(*words)[1] for words in (["show", "nightly"], ["check"]))

    assert len(re.findall(moment, shown)) > 8
    assert re.findall(rf"{moment}(?! [A-Z+-])", shown) == []


def test_show_as_json_has_the_next_five_times(ask: Ask) -> None:
    answer = parsed(ask("show", "nightly", "--json"))

    assert answer["job"]["schedule"]["expr"] == "0 2 * * *"
    assert [each["moment"][11:] for each in answer["next"]] == ["02:00:00+00:00"] * 5
    assert answer["stats"]["counts"] == {"succeeded": 1}
    assert answer["runs"][0]["log"] == ["42 rows"]


def test_policies_are_shown_by_the_words_in_which_they_are_written(ask: Ask) -> None:
    policies = parsed(ask("show", "nightly", "--json"))["job"]["policies"]

    assert (policies["max_crashes"], policies["misfire_grace"]) == (3, 60.0)
    assert policies["timeout"] is None


def test_runs_lists_the_newest_first_with_results_and_errors(ask: Ask) -> None:
    code, out, _ = ask("runs")

    lines = out.splitlines()
    assert code == 0
    assert lines[1].startswith("import ")
    assert "✗ failed" in lines[1]
    assert lines[2].startswith("nightly ")
    assert "42 rows" in lines[2]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["nightly"], ["nightly!first"]),
        (["--outcome", "failed"], ["import!second"]),
        (["--state", "finished"], ["import!second", "nightly!first"]),
        (["--limit", "1"], ["import!second"]),
    ],
)
def test_runs_lists_what_matches(ask: Ask, words: list[str], ids: list[str]) -> None:
    answer = parsed(ask("runs", "--json", *words))

    assert [run["id"] for run in answer["runs"]] == ids


def test_stats_adds_up_all_jobs_or_shows_one(ask: Ask) -> None:
    total = parsed(ask("stats", "--json"))
    one = parsed(ask("stats", "import", "--json"))

    assert (total["runs"], total["failures"]) == (2, 1)
    assert (one["runs"], one["failures"], one["job_id"]) == (1, 1, "import")
    assert "the [bold]source[/bold]" in ask("stats", "import")[1]


def test_stats_of_all_jobs_make_up_no_last_outcome_and_no_row(ask: Ask) -> None:
    total, one = ask("stats")[1], ask("stats", "import")[1]

    assert "None" not in total
    assert "in a row" not in total
    assert "  failed, " in one
    assert "1 failure in a row" in one


def test_check_finds_nothing_wrong_with_a_store_that_is_well(ask: Ask) -> None:
    code, out, _ = ask("check")

    assert code == 0
    assert "every invariant holds" in out
    assert parsed(ask("check", "--json"))["ok"] is True


def test_check_says_no_to_a_store_with_a_broken_invariant(
    ask: Ask, tmp_path: Path
) -> None:
    ask("jobs")
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        connection.execute("UPDATE jobs SET look_at = NULL WHERE id = 'idle'")
        connection.commit()

    code, out, _ = ask("check")

    assert code == 1
    assert "broken: job 'idle' is active, but nothing will ever look at it" in out
    assert ask("check", "--json")[0] == 1


def test_check_says_no_to_dangers_only_if_it_shall_be_strict(
    ask: Ask, tmp_path: Path
) -> None:
    fast = f"sqlite:///{tmp_path}/jobs.db?synchronous=NORMAL"
    ask("jobs")

    code, out, _ = ask("check", "--store", fast)
    strict_code, strict_out, _ = ask("check", "--strict", "--store", fast)

    assert "danger: " in out
    assert (code, strict_code) == (0, 1)
    assert strict_out == out
    assert parsed(ask("check", "--json", "--store", fast))["ok"] is True
    assert ask("check", "--json", "--strict", "--store", fast)[0] == 1
    assert ask("check", "--strict")[0] == 0


def test_check_that_is_strict_says_no_to_what_nobody_can_run(ask: Ask) -> None:
    ask("run-now", "idle")

    assert ask("check")[0] == 0
    assert ask("check", "--strict")[0] == 1


def test_check_tells_of_a_job_that_stands_still_as_the_clock_was_ahead(
    ask: Ask, tmp_path: Path
) -> None:
    ask("jobs")
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        moved = ", ".join(
            f"{name} = {name} + 864000000000"
            for name in ("considered_until", "next_time", "look_at")
        )
        connection.execute(f"UPDATE jobs SET {moved} WHERE id = 'idle'")  # noqa: S608
        connection.commit()

    code, out, _ = ask("check")

    assert code == 0
    assert "! ahead: job 'idle' is not due before 2" in out
    assert "reschedule" in out
    assert ask("check", "--strict")[0] == 1
    (told,) = parsed(ask("check", "--json"))["ahead"]
    assert "a clock was ahead" in told


def test_watch_once_prints_one_frame(ask: Ask) -> None:
    code, out, _ = ask("watch", "--once")

    assert code == 0
    assert "3 jobs" in out
    assert "1 failed" in out
    assert "\x1b" not in out
    assert len(parsed(ask("watch", "--json"))["jobs"]) == 3


def test_a_paused_job_shows_why_and_fires_again_after_resume(ask: Ask) -> None:
    paused = ask("pause", "idle", "--reason", "moving house")
    listed = ask("jobs", "--status", "paused")
    again = ask("pause", "idle")
    resumed = ask("resume", "idle")

    assert paused == (0, "job idle is paused\n", "")
    assert "paused (moving house)" in listed[1]
    assert again == (0, "job idle is paused already\n", "")
    assert resumed == (0, "job idle fires again\n", "")
    assert parsed(ask("resume", "idle", "--json")) == {"changed": False}


def test_run_now_asks_for_one_run_a_key_and_says_that_nobody_runs_it(ask: Ask) -> None:
    code, out, err = ask("run-now", "idle", "--key", "k")
    ask("run-now", "idle", "--key", "k")

    assert (code, out) == (0, "ready  idle!k\n")
    assert "no running instance has the handler 'idle'" in err
    assert len(parsed(ask("runs", "idle", "--json"))["runs"]) == 1


def test_a_run_behind_one_that_nobody_began_says_that_it_only_waits(ask: Ask) -> None:
    ask("run-now", "idle", "--key", "k")

    _, out, _ = ask("run-now", "idle", "--key", "another")

    assert "run idle!k was still waiting" in out


def test_waiting_for_a_run_that_does_not_end_in_time_is_a_no(ask: Ask) -> None:
    code, _, err = ask("run-now", "idle", "--key", "k", "--wait", "0")

    assert code == 1
    assert "run idle!k is still ready" in err


def test_waiting_for_a_run_that_failed_is_a_no(ask: Ask) -> None:
    code, out, _ = ask("run-now", "import", "--key", "second", "--wait")

    assert code == 1
    assert "✗ failed" in out


def test_waiting_for_a_run_that_succeeded_shows_its_result(ask: Ask) -> None:
    code, out, _ = ask("run-now", "nightly", "--key", "first", "--wait")

    assert code == 0
    assert out.rstrip().endswith("42 rows")


def test_a_job_is_removed_only_when_that_is_confirmed(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = ask("remove", "idle")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda: "no")
    denied = ask("remove", "idle")
    removed = ask("remove", "idle", "--yes")

    assert refused[0] == 2
    assert "--yes" in refused[2]
    assert denied[0] == 1
    assert removed == (0, "job idle is forgotten\n", "")
    assert len(parsed(ask("jobs", "--json"))["jobs"]) == 2


def test_a_run_that_waits_can_be_cancelled_once(ask: Ask) -> None:
    ask("run-now", "idle", "--key", "k")

    cancelled = ask("cancel", "idle!k", "--reason", "not today")
    again = ask("cancel", "idle!k")

    assert cancelled == (0, "run idle!k is cancelled\n", "")
    assert again == (0, "run idle!k had ended: cancelled\n", "")


@pytest.mark.parametrize(
    "words",
    [
        ["show", "nobody"],
        ["runs", "nobody"],
        ["stats", "nobody"],
        ["pause", "nobody"],
        ["resume", "nobody"],
        ["run-now", "nobody"],
        ["remove", "nobody", "--yes"],
        ["cancel", "nobody"],
    ],
    ids=" ".join,
)
def test_an_id_that_nobody_has_is_refused(ask: Ask, words: list[str]) -> None:
    code, out, err = ask(*words)

    assert (code, out) == (2, "")
    assert "'nobody'" in err
    assert "()" not in err
    assert ("nvent-sched jobs lists" in err) is (words[0] != "cancel")


def test_the_store_named_after_the_command_wins(ask: Ask, tmp_path: Path) -> None:
    code, _, err = ask("jobs", "--store", f"sqlite:///{tmp_path}/other.db")

    assert code == 2
    assert "other.db" in err


@pytest.mark.parametrize("width", [60, 80, 200])
def test_tables_are_no_wider_than_the_screen(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))

    said = [ask(*words)[1] for words in (["jobs"], ["runs"], ["watch", "--once"])]

    assert all("nightly" in text for text in said)
    assert max(len(line) for text in said for line in text.splitlines()) <= width
