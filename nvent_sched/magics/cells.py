"""From the text of a cell to a handler.

The handler does what the cell would: it reads and sets the notebook's variables, may
await, and its last expression is its result. It is compiled once, when it is scheduled, so
a mistake in it shows at once; its lines are known to tracebacks.
"""

from __future__ import annotations

import ast
import json
from hashlib import sha256
from inspect import CO_COROUTINE
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import CodeType

    from IPython.core.interactiveshell import InteractiveShell


AWAIT: Final = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
ID_LENGTH: Final = 8


def handler_of_cell(
    shell: InteractiveShell, cell: str, *, name: str
) -> Callable[[], Any]:
    """Make a handler of a cell; async if the cell awaits.

    Args:
        shell: Whose variables it sees, and whose syntax it may use.
        cell: The text below the magic.
        name: What the function is called.

    Raises:
        SyntaxError: The cell cannot be read.
    """
    body, last = _compiled(shell, cell)
    names = shell.user_ns

    def work() -> object:
        exec(body, names)  # noqa: S102  it is the user's own cell
        return None if last is None else shown(eval(last, names))  # noqa: S307  as above

    async def work_async() -> object:
        await _evaluated(body, names)
        return None if last is None else shown(await _evaluated(last, names))

    is_async = any(each and each.co_flags & CO_COROUTINE for each in (body, last))
    handler: Callable[[], object | Awaitable[object]] = work_async if is_async else work
    handler.__name__ = handler.__qualname__ = name
    handler.__module__ = "__main__"
    return handler


async def _evaluated(code: CodeType, names: dict[str, Any]) -> object:
    value = eval(code, names)  # noqa: S307  it is the user's own cell
    return await value if code.co_flags & CO_COROUTINE else value


def _compiled(shell: InteractiveShell, cell: str) -> tuple[CodeType, CodeType | None]:
    """Compile a cell, its last expression by itself."""
    transform: Any = shell.transform_cell
    text: str = transform(cell)
    place = shell.compile.cache(text, shell.execution_count, raw_code=cell)
    tree = ast.parse(text, place)
    last: CodeType | None = None
    if tree.body and isinstance(end := tree.body[-1], ast.Expr):
        del tree.body[-1]
        last = compile(ast.Expression(end.value), place, "eval", flags=AWAIT)
    return compile(tree, place, "exec", flags=AWAIT), last


def shown(value: object) -> object:
    """Keep a result that is JSON; print another, as the cell would have shown it."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        print(repr(value))  # noqa: T201  into the run's log
        return None
    return value


def id_of_cell(shell: InteractiveShell, cell: str) -> str:
    """Name a job after its cell: the same when it is edited, if the front end says so."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    known = parent.get("metadata", {}).get("cellId") or parent.get("cell_id") or cell
    return f"cell-{sha256(str(known).encode()).hexdigest()[:ID_LENGTH]}"


def name_of_cell(cell: str) -> str | None:
    """Take the comment in the first line, if there is one, for people to read."""
    first = cell.strip().split("\n", 1)[0]
    return first.lstrip("#! ").strip() or None if first.startswith("#") else None
