"""Call the user's function, wherever it runs, and say how it ended.

Whatever the function does (raise anything at all, return what is not JSON, never end)
has one outcome and costs no other run anything. Cancellation from outside is never
swallowed.
"""

from __future__ import annotations

import json
import traceback
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from anyio.to_process import run_sync as run_sync_in_process

from nvent_sched._engine.context import RunCancelledError, RunContext
from nvent_sched._engine.registry import Executor, Handler
from nvent_sched._model.runs import ERROR_TEXT_MAX, RESULT_BYTES_MAX, Outcome
from nvent_sched._model.values import quick

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._engine.threads import WorkerThreads

PACKAGE: Final = __name__.split(".", 1)[0]
current_run: ContextVar[RunContext | None] = ContextVar("nvent_run", default=None)


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


async def call_handler(
    handler: Handler, context: RunContext, *, payload: str, threads: WorkerThreads
) -> Returned:
    """Call a handler and wait for its end.

    Args:
        handler: What to call.
        context: Passed to it if it wants it; also what `capture` adds lines to.
        payload: Canonical JSON of `args` and `kwargs`.
        threads: Where plain handlers run.
    """
    token = current_run.set(context)
    try:
        value = await _call(handler, context, payload=payload, threads=threads)
    except anyio.get_cancelled_exc_class():
        # Ours to pass on if we are being cancelled; a handler may also raise it by
        # itself (it awaited something that was cancelled): then it is its own end.
        await checkpoint_if_cancelled()
        reason = "the handler was cancelled from within"
        return Returned(outcome=Outcome.CANCELLED, reason=reason)
    except RunCancelledError as error:
        # Why it was asked to stop is known better by who asked.
        own = None if context.is_cancelled else _shown(error)[:ERROR_TEXT_MAX]
        return Returned(outcome=Outcome.CANCELLED, reason=own)
    except BaseException as error:  # noqa: BLE001  one handler must not end the others
        await checkpoint_if_cancelled()
        return Returned(
            outcome=Outcome.FAILED, error=error_text(error), kinds=kinds_of(error)
        )
    finally:
        current_run.reset(token)
    return _returned(value)


async def _call(
    handler: Handler, context: RunContext, *, payload: str, threads: WorkerThreads
) -> Any:  # noqa: ANN401  whatever the handler returns
    call = _bound(handler, context, payload=payload)
    match handler.executor:
        case Executor.LOOP:
            return await call()
        case Executor.THREAD:
            return await threads.call(call)
        case Executor.PROCESS:
            return await run_sync_in_process(call, cancellable=True)


def _bound(handler: Handler, context: RunContext, *, payload: str) -> Callable[[], Any]:
    if payload == "{}":
        if not handler.wants_run:
            return handler.function
        return partial(handler.function, context)
    given = json.loads(payload)
    args, kwargs = given.get("args", ()), given.get("kwargs", {})
    if handler.wants_run:
        return partial(handler.function, context, *args, **kwargs)
    return partial(handler.function, *args, **kwargs)


def _returned(value: object) -> Returned:
    if value is None:
        return Returned(outcome=Outcome.SUCCEEDED)
    try:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    except BaseException as error:  # noqa: BLE001  its methods are the user's code
        reason = f"its result is not JSON and was not kept: {_shown(error)}"
        return Returned(outcome=Outcome.SUCCEEDED, reason=reason[:ERROR_TEXT_MAX])
    if len(text) > RESULT_BYTES_MAX:
        reason = (
            f"its result was not kept: it takes {len(text)} bytes as JSON, more than "
            f"{RESULT_BYTES_MAX}"
        )
        return Returned(outcome=Outcome.SUCCEEDED, reason=reason)
    return Returned(outcome=Outcome.SUCCEEDED, result=text)


def kinds_of(error: BaseException) -> tuple[str, ...]:
    """Name an error's class and its bases, for the retry policy."""
    return tuple(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in type(error).__mro__
        if issubclass(kind, BaseException)
    )


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
            f"{type(error).__qualname__}: {_shown(error)} (its traceback could not be "
            f"made: {type(broken).__qualname__})"
        )
    if len(text) <= ERROR_TEXT_MAX:
        return text
    head = ERROR_TEXT_MAX // 4
    return f"{text[:head]}\n...\n{text[-(ERROR_TEXT_MAX - head - 5) :]}"


def _shown(error: BaseException) -> str:
    """Show an error by its text, or say that even that raises."""
    try:
        return str(error)
    except BaseException as broken:  # noqa: BLE001  a __str__ of the user's
        return f"(its text could not be made: {type(broken).__qualname__})"


def _is_ours(module: str) -> bool:
    return (
        module == PACKAGE or module.startswith(f"{PACKAGE}.") or module == "contextvars"
    )
