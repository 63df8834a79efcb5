"""Hand each source file of the package, parsed, to the tests that ask for one."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file of the tree."""

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)


def sources_of(*folders: str) -> list[Source]:
    paths = (path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))
    return [
        Source(path.relative_to(REPOSITORY).as_posix(), path.read_text("utf-8"))
        for path in sorted(paths)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`source` is each file of the package, `test_source` each file of the tests."""
    for argument, folder in (("source", "nvent_sched"), ("test_source", "tests")):
        if argument in metafunc.fixturenames:
            sources = sources_of(folder)
            metafunc.parametrize(argument, sources, ids=[s.name for s in sources])


@pytest.fixture(scope="session")
def repository() -> Path:
    """Where the tree under test lies."""
    return REPOSITORY
