"""Which file a URL names, and how it is opened."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched.adapters import open_adapter
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.errors import StoreReadOnlyError, UsageError
from nvent_sched.testing.conformance.builders import NOON, a_job
from nvent_sched.testing.conformance.steps import put, read_job

if TYPE_CHECKING:
    from pathlib import Path


def files_below(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*.db"))


def an_empty(path: Path) -> Path:
    path.touch()
    return path


def size_of(path: Path) -> int:
    return path.stat().st_size


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///jobs.db", "jobs.db"),
        ("sqlite:////srv/jobs.db", "/srv/jobs.db"),
        ("sqlite:///a%20b%23c.db", "a b#c.db"),
        ("sqlite:///:memory:", ":memory:"),
        ("sqlite://", ":memory:"),
        ("file:jobs.db", "jobs.db"),
        ("file:/srv/jobs.db", "/srv/jobs.db"),
        ("file:///srv/jobs.db", "/srv/jobs.db"),
        ("file::memory:", ":memory:"),
    ],
)
def test_a_url_names_a_file(url: str, path: str) -> None:
    assert open_adapter(url).url == f"sqlite:///{path}"


def test_the_home_folder_has_a_short_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nest")

    assert SqliteAdapter("~/jobs.db").url == "sqlite:////nest/jobs.db"


async def test_options_of_a_url_are_used(path: Path) -> None:
    adapter = SqliteAdapter.from_url(f"sqlite:///{path}?synchronous=normal")
    await adapter.open(now=NOON)

    summary = await adapter.summary(now=NOON, is_deep=True)

    assert summary.settings["synchronous"] == "NORMAL"
    assert any("synchronous" in danger for danger in summary.dangers)
    await adapter.close()


async def test_the_file_is_named_once_wherever_the_program_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    adapter = SqliteAdapter("jobs.db")
    (tmp_path / "elsewhere").mkdir()

    monkeypatch.chdir(tmp_path / "elsewhere")
    await adapter.open(now=NOON)
    await put(adapter, a_job())
    await adapter.close()

    assert files_below(tmp_path) == ["jobs.db"]


async def test_a_store_can_be_opened_to_read_only(path: Path) -> None:
    adapter = SqliteAdapter(path)
    await adapter.open(now=NOON)
    await put(adapter, a_job())
    await adapter.close()

    reader = SqliteAdapter.from_url(f"file:{path}?mode=ro")
    await reader.open(now=NOON)

    assert await read_job(reader) == a_job()
    with pytest.raises(StoreReadOnlyError):
        await put(reader, a_job("other"))
    await reader.close()


async def test_to_read_only_there_must_be_a_store(path: Path) -> None:
    adapter = SqliteAdapter.from_url(f"file:{an_empty(path)}?mode=ro")

    with pytest.raises(StoreReadOnlyError):
        await adapter.open(now=NOON)

    assert size_of(path) == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://me:secret@host/jobs.db", "three slashes"),
        ("sqlite:///jobs.db?synchronous=maybe", "synchronous"),
        ("sqlite:///jobs.db?synchronous=", "synchronous"),
        ("sqlite:///jobs.db?busy_timeout=soon", "busy_timeout"),
        ("sqlite:///jobs.db?busy_timeout=-1", "busy_timeout"),
        ("sqlite:///jobs.db?busy_timeout=1e10", "busy_timeout"),
        ("sqlite:///jobs.db?poll=often", "poll"),
        ("sqlite:///jobs.db?poll=0", "poll"),
        ("sqlite:///jobs.db?busy_timeout=nan", "busy_timeout"),
        ("sqlite:///jobs.db?cache=shared", "cache"),
        ("sqlite:///jobs.db?mode=memory", "mode"),
        ("sqlite:///jobs.db?password=secret", "password"),
        ("sqlite:///jobs.db#later", "%23"),
        ("file:", "names no file"),
        ("sqlite:///", r"names no file; .*memory: or sqlite:///:memory:"),
        ("sqlite:///?poll=5", "names no file"),
    ],
)
def test_a_url_that_cannot_be_right_is_refused_and_told_why(
    url: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        SqliteAdapter.from_url(url)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_path_that_names_nothing_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="path"):
        SqliteAdapter(path)


def test_a_setting_that_is_not_allowed_is_refused(path: Path) -> None:
    unknown: Any = "MAYBE"

    with pytest.raises(UsageError, match="FULL"):
        SqliteAdapter(path, synchronous=unknown)
    with pytest.raises(UsageError, match="rwc"):
        SqliteAdapter(path, mode=unknown)
    with pytest.raises(UsageError, match="busy_timeout"):
        SqliteAdapter(path, busy_timeout=timedelta(seconds=-1))


def test_how_often_to_look_for_others_can_be_said() -> None:
    adapter = SqliteAdapter.from_url("sqlite:///jobs.db?poll=2.5")

    assert adapter.traits.hint_delay_us_max == 2_500_000
    assert SqliteAdapter("jobs.db").traits.hint_delay_us_max == 500_000
