"""How a call ended, as text that can be stored. Bounded, and never raises.

Errors and results are the user's objects: their methods may raise anything, and what
they raise must not end the engine. So nothing of them leaves this module but text.
"""

from __future__ import annotations

import inspect
import json
import traceback
from dataclasses import dataclass
from typing import Final

from nvent_sched._model.runs import ERROR_TEXT_MAX, RESULT_BYTES_MAX, Outcome
from nvent_sched._model.values import quick
from nvent_sched._tracebacks import without_middle

PACKAGE: Final = __name__.split(".", 1)[0]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """How a call ended by itself.

    Attributes:
        kinds: Dotted names of the error's class and its bases.
        reason: A remark on an outcome that is not an error.
    """

    outcome: Outcome
    result: str | None = None
    error: str | None = None
    kinds: tuple[str, ...] = ()
    reason: str | None = None


def returned_of(value: object) -> Returned:
    """Say how a call ended that gave *value*."""
    if value is None:
        return Returned(outcome=Outcome.SUCCEEDED)
    if inspect.iscoroutine(value) or inspect.isasyncgen(value):
        return raised_of(TypeError(_not_begun(value)))
    try:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    except BaseException as error:  # noqa: BLE001  its methods are the user's code
        reason = f"its result is not JSON and was not kept: {shown(error)}"
        return Returned(outcome=Outcome.SUCCEEDED, reason=reason[:ERROR_TEXT_MAX])
    if len(text) > RESULT_BYTES_MAX:
        reason = (
            f"its result was not kept: it takes {len(text)} bytes as JSON, more than "
            f"{RESULT_BYTES_MAX}"
        )
        return Returned(outcome=Outcome.SUCCEEDED, reason=reason)
    return Returned(outcome=Outcome.SUCCEEDED, result=text)


def _not_begun(value: object) -> str:
    if inspect.iscoroutine(value):
        value.close()  # or Python warns that nobody awaited it, later and elsewhere
    return (
        "the handler returned what an async function gives, and nobody awaits that: "
        "nothing of it ran; make the handler async and await it there"
    )


def raised_of(error: BaseException) -> Returned:
    """Say how a call ended that raised *error*."""
    return Returned(
        outcome=Outcome.FAILED, error=error_text(error), kinds=kinds_of(error)
    )


def kinds_of(error: BaseException) -> tuple[str, ...]:
    """Name an error's class and its bases, for the retry policy.

    Those of what a group holds belong to it: a task group raises whatever happens in it
    as one.
    """
    kinds: dict[str, None] = {}
    waiting = [error]
    for each in waiting:
        kinds |= dict.fromkeys(
            f"{_module_of(kind)}.{kind.__qualname__}"
            for kind in type(each).__mro__
            if issubclass(kind, BaseException)
        )
        if isinstance(each, BaseExceptionGroup):
            # Not by the name: a class of the user's may give it another meaning.
            waiting += BaseExceptionGroup.exceptions.__get__(each)
    return tuple(kinds)


def _module_of(kind: type) -> str:
    # What a script is called in the worker processes that import it.
    return "__main__" if kind.__module__ == "__mp_main__" else kind.__module__


def error_text(error: BaseException) -> str:
    """Write an error with the traceback from the user's code on; bounded.

    The end is what tells most, so a long text loses its middle.
    """
    step = error.__traceback__
    while step is not None and _is_ours(step.tb_frame.f_globals.get("__name__", "")):
        step = step.tb_next
    try:
        lines = traceback.format_exception(type(error), error, step, limit=-20)
        text = "".join(lines).rstrip()
    except BaseException as broken:  # noqa: BLE001  a __str__ or __repr__ of the user's
        text = (
            f"{type(error).__qualname__}: {shown(error)} (its traceback could not be "
            f"made: {type(broken).__qualname__})"
        )
    return without_middle(text, length_max=ERROR_TEXT_MAX)


def shown(error: BaseException) -> str:
    """Show an error by its text, or say that even that raises."""
    try:
        return str(error)
    except BaseException as broken:  # noqa: BLE001  a __str__ of the user's
        return f"(its text could not be made: {type(broken).__qualname__})"


def _is_ours(module: str) -> bool:
    return (
        module == PACKAGE or module.startswith(f"{PACKAGE}.") or module == "contextvars"
    )
