"""Nothing grows past what a reader can hold: the house's budgets."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.architecture.conftest import Source

MODULE_LINES_MAX: Final = 300
FUNCTION_LINES_MAX: Final = 70  # a screen; the docstring is not counted
FUNCTION_STATEMENTS_MAX: Final = 40

# To go over, name the module here, with its lines and the reason.
BUDGET: Final[dict[str, tuple[int, str]]] = {
    "nvent_sched/_port.py": (400, "the whole contract of a store in one place"),
    "nvent_sched/cli/arguments.py": (320, "every command's words in one place"),
    "nvent_sched/_rules/cron/text.py": (360, "one grammar; halves would share it all"),
    "nvent_sched/_rules/declaring.py": (330, "each option of a job, and its text"),
    "nvent_sched/_rules/planning.py": (310, "one decision, and how it is written down"),
    "nvent_sched/_rules/schedules.py": (370, "two values and their docstrings"),
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(sources: list[Source]) -> Iterator[tuple[str, Function]]:
    """Name every function, with its place."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, Function):
                yield f"{source.name}:{node.lineno} {node.name}", node


def lines_of(function: Function) -> int:
    """The lines from `def` to the end, without the docstring."""
    return length_of(function) - sum(map(length_of, docstring_of(function)))


def statements_of(function: Function) -> int:
    """The statements, those of inner functions too, without the docstring."""
    inner = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1
    return inner - len(docstring_of(function))


def docstring_of(function: Function) -> list[ast.stmt]:
    return function.body[:1] if ast.get_docstring(function) is not None else []


def length_of(statement: ast.stmt) -> int:
    assert statement.end_lineno is not None
    return statement.end_lineno - statement.lineno + 1


def test_a_module_keeps_its_budget(sources: list[Source]) -> None:
    budgets = {s.name: BUDGET.get(s.name, (MODULE_LINES_MAX, ""))[0] for s in sources}

    assert {s.name: s.lines for s in sources if s.lines > budgets[s.name]} == {}


def test_an_exception_is_still_needed(sources: list[Source]) -> None:
    over = {source.name for source in sources if source.lines > MODULE_LINES_MAX}

    assert BUDGET.keys() - over == set(), "take it out of BUDGET"


def test_a_function_fits_a_screen(sources: list[Source]) -> None:
    sizes = {name: lines_of(function) for name, function in functions_of(sources)}

    assert {n: s for n, s in sizes.items() if s > FUNCTION_LINES_MAX} == {}


def test_a_function_does_a_limited_number_of_things(sources: list[Source]) -> None:
    counts = {name: statements_of(function) for name, function in functions_of(sources)}

    assert {n: c for n, c in counts.items() if c > FUNCTION_STATEMENTS_MAX} == {}
