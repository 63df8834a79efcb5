"""The command line before any store is opened: what is refused, what needs no store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nvent_sched.cli import main

if TYPE_CHECKING:
    from pathlib import Path

SPRING = ["next", "30 2 * * *", "--tz", "Europe/Berlin", "--after", "2027-03-27T12:00"]


def test_next_says_the_schedule_in_words_and_what_a_clock_change_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main([*SPRING, "--n", "2"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[0] == "At 02:30, Europe/Berlin"
    assert lines[1].split() == ["Europe/Berlin", "UTC", "when", "note"]
    assert lines[2].startswith("Sun 2027-03-28 03:00:00 +0200  2027-03-28 01:00:00")
    assert lines[2].rstrip().endswith("moved from 02:30, which the clock skips")
    assert lines[3].startswith("Mon 2027-03-29 02:30:00 +0200  2027-03-29 00:30:00")


def test_next_in_utc_says_each_time_once(capsys: pytest.CaptureFixture[str]) -> None:
    main(["next", "30 2 * * *", "--after", "2027-03-27T12:00", "--n", "1"])

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["UTC", "when", "note"]
    assert lines[2].startswith("Sun 2027-03-28 02:30:00 +0000  in ")


def test_next_as_json_has_moments_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    code = main([*SPRING, "--n", "1", "--json"])

    assert code == 0
    assert json.loads(capsys.readouterr().out) == {
        "expr": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "text": "At 02:30, Europe/Berlin",
        "next": [
            {
                "at": "2027-03-28T01:00:00+00:00",
                "local": "2027-03-28T03:00:00+02:00",
                "note": "moved from 02:30, which the clock skips",
            }
        ],
    }


@pytest.mark.parametrize(
    "words",
    [["next", "0 0 30 2 *"], ["next", "0 0 0 1 1 ? 2020", "--after", "2026-01-01"]],
    ids=["there is no such date", "the years are over"],
)
def test_next_says_no_to_what_never_fires(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    assert "never" in capsys.readouterr().err

    assert main([*words, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["expr"], answer["next"]) == (words[1], [])


@pytest.mark.parametrize(
    "words",
    [
        ["next", "99 * * * *"],
        ["next", "* * * * *", "--tz", "Mars/Olympus"],
        ["jobs", "--store", "mongodb://jobs"],
        ["run", "no_such_module_at_all:scheduler"],
        ["run", "app.py"],
        ["run", "json:dumps"],
        ["run", "json:nothing"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_right_is_refused_in_a_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(words)

    told = capsys.readouterr()
    assert code == 2
    assert told.out == ""
    assert told.err.startswith("nvent-sched: ")
    assert len(told.err.splitlines()) <= 2


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["next", "* * * * *", "--n", "0"],
        ["next", "* * * * *", "--after", "soon"],
        ["demo", "--seconds", "-1"],
        ["demo", "--seconds", "nan"],
        ["jobs", "--status", "asleep"],
    ],
    ids=" ".join,
)
def test_a_word_that_is_not_known_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(words)

    assert refused.value.code == 2
    assert "usage: nvent-sched" in capsys.readouterr().err


def test_debug_shows_where_an_error_comes_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["next", "99 * * * *", "--debug"])

    assert "Traceback" in capsys.readouterr().err


def test_help_tells_what_the_exit_codes_mean(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as helped:
        main(["--help"])

    text = capsys.readouterr().out
    assert helped.value.code == 0
    assert [
        code for code in ("  0  ", "  1  ", "  2  ", "  3  ", "130  ") if code in text
    ]
    assert "nvent-sched demo" in text


@pytest.mark.parametrize("command", ["jobs", "runs", "stats", "check", "watch"])
def test_looking_at_a_store_that_does_not_exist_does_not_make_one(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nothing.db"

    code = main([command, "--store", f"sqlite:///{path}"])

    assert code == 2
    assert f"there is no store {path}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_store_of_the_environment_is_used(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NVENT_SCHED_URL", f"sqlite:///{tmp_path}/elsewhere.db")

    main(["jobs"])

    assert "elsewhere.db" in capsys.readouterr().err


def test_a_demo_without_a_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["demo", "--store", f"sqlite:///{tmp_path}/nowhere/demo.db"])

    assert code == 2
    assert "the demo needs a folder to write to" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["jobs", "check", "watch", "demo"])
def test_a_file_that_is_no_store_is_an_error_of_the_store(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear reader, " * 1_000)

    code = main(["--store", f"sqlite:///{path}", command])

    told = capsys.readouterr()
    assert code == 3
    assert "letter.db" in told.err
    assert len(told.err.splitlines()) <= 2
    assert path.read_text().startswith("Dear reader")
