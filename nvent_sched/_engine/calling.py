"""Call the user's function, wherever it runs, and say how it ended.

Whatever the function does (raise anything at all, return what is not JSON, never end)
has one outcome and costs no other run anything. Cancellation from outside is never
swallowed.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from nvent_sched._engine.context import RunCancelledError, RunContext
from nvent_sched._engine.endings import Returned, raised_of, returned_of, shown
from nvent_sched._engine.registry import Executor, Handler
from nvent_sched._model.runs import ERROR_TEXT_MAX, Outcome
from nvent_sched.errors import LostClaimError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._engine.processes import WorkerProcesses
    from nvent_sched._engine.threads import WorkerThreads


class TooLateError(Exception):
    """A thread came to a handler when the claim could not be believed any more."""


# `json.loads` looks each time at what kind of text it is given.
_decode: Final = json.JSONDecoder().decode
current_run: ContextVar[RunContext | None] = ContextVar("nvent_run", default=None)


def own_run(instance_id: str) -> RunContext | None:
    """Give the run that the caller is within, if that instance has it."""
    run = current_run.get()
    return run if run is not None and run.is_of(instance_id) else None


async def call_handler(
    handler: Handler,
    context: RunContext,
    *,
    payload: str,
    is_trusted: Callable[[], bool],
    threads: WorkerThreads,
    processes: WorkerProcesses,
) -> Returned:
    """Call a handler and wait for its end.

    Args:
        handler: What to call.
        context: Passed to it if it wants it; also what `capture` adds lines to.
        payload: Canonical JSON of `args` and `kwargs`.
        is_trusted: Whether the claim can be believed now; asked from any thread.
        threads: Where plain handlers run.
        processes: Where those run that compute.

    Raises:
        TooLateError: The handler was not called: its thread came to it too late.
    """
    token = current_run.set(context)
    try:
        call = _bound(handler, context, payload=payload)
        match handler.executor:
            case Executor.LOOP:
                return returned_of(await call())
            case Executor.THREAD:
                return returned_of(
                    await threads.call(partial(_call_in_time, call, is_trusted))
                )
            case Executor.PROCESS:
                return await processes.call(call)
    except anyio.get_cancelled_exc_class():
        # Ours to pass on if we are being cancelled; a handler may also raise it by
        # itself (it awaited something that was cancelled): then it is its own end.
        await checkpoint_if_cancelled()
        reason = "the handler was cancelled from within"
        return Returned(outcome=Outcome.CANCELLED, reason=reason)
    except TooLateError:
        raise
    except (RunCancelledError, LostClaimError) as error:
        # Why it was asked to stop is known better by who asked.
        own = None if context.is_cancelled else shown(error)[:ERROR_TEXT_MAX]
        return Returned(outcome=Outcome.CANCELLED, reason=own)
    except BaseException as error:  # noqa: BLE001  one handler must not end the others
        await checkpoint_if_cancelled()
        return raised_of(error)
    finally:
        context.end_output()
        current_run.reset(token)


def _call_in_time(call: Callable[[], Any], is_trusted: Callable[[], bool]) -> Any:  # noqa: ANN401  the handler's
    """Call in a thread, which may have waited for its turn while the process stood still."""
    if not is_trusted():
        raise TooLateError
    return call()


def _bound(handler: Handler, context: RunContext, *, payload: str) -> Callable[[], Any]:
    if payload == "{}":
        if not handler.wants_run:
            return handler.function
        return partial(handler.function, context)
    given = _decode(payload)
    args, kwargs = given.get("args", ()), given.get("kwargs", {})
    if handler.wants_run:
        return partial(handler.function, context, *args, **kwargs)
    return partial(handler.function, *args, **kwargs)
