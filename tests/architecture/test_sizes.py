"""Nothing grows past what a reader can hold: the house's budgets."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.architecture.conftest import Source

MODULE_LINES_MAX: Final = 300
FUNCTION_LINES_MAX: Final = 70  # a screen; the docstring is not counted
FUNCTION_STATEMENTS_MAX: Final = 40

# To go over, name the module here, with its lines and the reason.
BUDGET: Final[dict[str, tuple[int, str]]] = {}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(source: Source) -> Iterator[Function]:
    return (node for node in ast.walk(source.tree) if isinstance(node, Function))


def body_of(function: Function) -> list[ast.stmt]:
    """The body without the docstring."""
    has_docstring = ast.get_docstring(function) is not None
    return function.body[1:] if has_docstring else function.body


def lines_of(function: Function) -> int:
    """The lines from `def` to the end, without the docstring."""
    assert function.end_lineno is not None
    first = function.body[0]
    assert first.end_lineno is not None
    is_documented = ast.get_docstring(function) is not None
    docstring = first.end_lineno - first.lineno + 1 if is_documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


def test_a_module_keeps_its_budget(source: Source) -> None:
    budget, reason = BUDGET.get(source.name, (MODULE_LINES_MAX, "the house's"))

    assert len(source.text.splitlines()) <= budget, f"its budget: {reason}"


def test_a_function_fits_a_screen(source: Source) -> None:
    sizes = {function.name: lines_of(function) for function in functions_of(source)}

    assert {n: s for n, s in sizes.items() if s > FUNCTION_LINES_MAX} == {}


def test_a_function_does_a_limited_number_of_things(source: Source) -> None:
    counts = {
        function.name: sum(
            isinstance(node, ast.stmt)
            for statement in body_of(function)
            for node in ast.walk(statement)
        )
        for function in functions_of(source)
    }

    assert {n: c for n, c in counts.items() if c > FUNCTION_STATEMENTS_MAX} == {}


@pytest.mark.parametrize("name", BUDGET)
def test_an_exception_is_still_needed(name: str, repository: Path) -> None:
    lines = len((repository / name).read_text("utf-8").splitlines())

    assert lines > MODULE_LINES_MAX, "take it out of BUDGET"
