"""The top of the repository stays small, and no file tells where it was written."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TOP_LEVEL: Final = {
    ".ci",
    ".gitignore",
    ".pre-commit-config.yaml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "notebooks",
    "noxfile.py",
    "nvent_sched",
    "pyproject.toml",
    "tests",
}

# A server that the package, its tests or its build need does not stand in a file.
HOST: Final = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:com|net|org)\b", re.IGNORECASE)
HOSTS: Final = {
    "example.com",
    "example.org",
    "keepachangelog.com",
    "semver.org",
    "www.w3.org",  # the name space of SVG; nobody asks there
}
DEVELOPERS_PATH: Final = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w+")


@pytest.fixture(scope="module")
def files(repository: Path) -> list[str]:
    """Name every file that is part of the repository."""
    if not (repository / ".git").exists():
        pytest.skip("not a clone: an sdist holds only a part of the repository")
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607  the git of whoever runs the tests
        cwd=repository,
        capture_output=True,
        check=True,
        text=True,
    )
    return [name for name in listed.stdout.split("\0") if (repository / name).is_file()]


@pytest.fixture(scope="module")
def texts(files: list[str], repository: Path) -> dict[str, str]:
    """Read every file of the repository that is a text."""
    read = {name: (repository / name).read_bytes() for name in files}
    return {n: b.decode() for n, b in read.items() if b"\0" not in b}


def test_the_top_level_holds_only_what_belongs_there(files: list[str]) -> None:
    assert {name.split("/")[0] for name in files} - TOP_LEVEL == set()


def test_no_file_names_a_server(texts: dict[str, str]) -> None:
    named = {(n, h.lower()) for n, text in texts.items() for h in HOST.findall(text)}

    assert {(name, host) for name, host in named if host not in HOSTS} == set()


def test_no_file_tells_where_it_was_written(texts: dict[str, str]) -> None:
    told = {name: DEVELOPERS_PATH.findall(text) for name, text in texts.items()}

    assert {name: paths for name, paths in told.items() if paths} == {}


def test_the_changelog_knows_this_version(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))
    changelog = (repository / "CHANGELOG.md").read_text("utf-8")

    assert f"## [{project['project']['version']}]" in changelog
