"""Hand the files of the tree to the tests that read them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file of the tree."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())


def sources_of(folder: str) -> list[Source]:
    return [
        Source(path.relative_to(REPOSITORY).as_posix(), path.read_text("utf-8"))
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
    ]


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every file of the package."""
    return sources_of("nvent_sched")


@pytest.fixture(scope="session")
def test_sources() -> list[Source]:
    """Every file of the tests."""
    return sources_of("tests")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Where the tree under test lies."""
    return REPOSITORY
