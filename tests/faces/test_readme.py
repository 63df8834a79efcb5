"""The programs in the README are programs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

README = Path(__file__).parents[2] / "README.md"


def programs() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


def run(source: str) -> dict[str, Any]:
    scope: dict[str, Any] = {"__name__": "readme"}
    exec(compile(source, str(README), "exec"), scope)  # noqa: S102  our own README
    return scope


def test_the_program_at_the_top_declares_its_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    scope = run(programs()[0])

    assert "not running" in repr(scope["scheduler"])


def test_the_plain_script_runs_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    run(programs()[1])

    assert capsys.readouterr().out == "succeeded\n"


def test_the_notebook_has_something_to_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    scheduler = run(programs()[2])["scheduler"]

    try:
        assert "refresh" in scheduler.dashboard().to_html()
    finally:
        scheduler.stop()


async def test_the_test_of_a_job_passes() -> None:
    scope = run(programs()[3])

    await scope["test_the_report_runs_hourly"]()
