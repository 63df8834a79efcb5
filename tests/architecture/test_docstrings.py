"""Whoever asks for help gets a sentence."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Final

import pytest

import nvent_sched

if TYPE_CHECKING:
    from tests.architecture.conftest import Source

NAMES: Final = sorted(nvent_sched.__all__)


def undocumented(owner: type) -> list[str]:
    """Public methods and properties that *owner* itself defines without a word."""
    return [
        name
        for name, member in vars(owner).items()
        if not name.startswith("_")
        and (callable(member) or isinstance(member, property | classmethod))
        and not inspect.getdoc(getattr(owner, name))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_documented(name: str) -> None:
    public = getattr(nvent_sched, name)

    assert inspect.getdoc(public)
    assert not isinstance(public, type) or undocumented(public) == []


def test_a_module_says_what_it_is_for(sources: list[Source]) -> None:
    silent = [s.name for s in sources if not ast.get_docstring(s.tree)]

    assert silent == []
