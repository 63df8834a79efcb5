"""Handlers by name: the store knows names only, a process knows functions."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nvent_sched._model.jobs import checked_name
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Executor(StrEnum):
    """Where a handler runs."""

    LOOP = "loop"
    THREAD = "thread"
    PROCESS = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A function under a name.

    Attributes:
        wants_run: Its first parameter is the run's context.
        signature: What it can be called with; None if it does not say.
    """

    name: str
    function: Callable[..., Any]
    executor: Executor
    wants_run: bool
    signature: inspect.Signature | None

    def check_arguments(
        self, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> None:
        """Refuse arguments the function could not be called with.

        Raises:
            UsageError: It could not.
        """
        if self.signature is None:
            return
        given = [None, *args] if self.wants_run else args
        try:
            self.signature.bind(*given, **kwargs)
        except TypeError as error:
            msg = (
                f"handler {self.name!r} cannot be called with these arguments: {error}"
            )
            raise UsageError(msg) from error


def handler_of(
    function: Callable[..., Any], *, name: str | None, executor: str | None
) -> Handler:
    """Look at a function and give it a name.

    Args:
        function: Async or plain.
        name: What the store shall know it by; without one its module and qualname.
        executor: "loop", "thread" or "process"; without one async functions run in the
            loop and plain ones in a worker thread.

    Raises:
        UsageError: It is not a function, has no name of its own, does not fit the
            executor, or yields: calling it would run nothing of it.
    """
    if not callable(function):
        msg = f"a handler must be a function, not {function!r}"
        raise UsageError(msg)
    name = name_of(function) if name is None else name
    checked_name(name, what="a handler's name")
    _refuse_generator(function, name=name)
    is_async = _is_async(function)
    place = _executor_of(executor, is_async=is_async, name=name)
    signature = _signature(function)
    wants_run = signature is not None and _wants_run(signature)
    if place is Executor.PROCESS:
        _check_importable(function, name=name, wants_run=wants_run)
    return Handler(
        name=name,
        function=function,
        executor=place,
        wants_run=wants_run,
        signature=signature,
    )


def _refuse_generator(function: Callable[..., Any], *, name: str) -> None:
    call = getattr(function, "__call__", None)  # noqa: B004  an object that yields
    kinds = (inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    if any(is_kind(each) for is_kind in kinds for each in (function, call)):
        msg = (
            f"handler {name!r} yields: calling it would run nothing of it; put what it "
            "does into a function without yield"
        )
        raise UsageError(msg)


def _executor_of(executor: str | None, *, is_async: bool, name: str) -> Executor:
    if executor is None:
        return Executor.LOOP if is_async else Executor.THREAD
    if not isinstance(executor, str) or executor not in set(Executor):
        msg = f"executor must be one of {[*map(str, Executor)]}, not {executor!r}"
        raise UsageError(msg)
    place = Executor(executor)
    if is_async != (place is Executor.LOOP):
        kind = "async" if is_async else "plain"
        msg = f"handler {name!r} is {kind}: it cannot run in executor={executor!r}"
        raise UsageError(msg)
    return place


def _is_async(function: Callable[..., Any]) -> bool:
    while isinstance(function, partial):
        function = function.func
    call = getattr(function, "__call__", None)  # noqa: B004  an object with async __call__
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):
        return None


def _wants_run(signature: inspect.Signature) -> bool:
    parameters = list(signature.parameters.values())
    if not parameters:
        return False
    first = parameters[0]
    annotation = first.annotation
    noted = (
        annotation
        if isinstance(annotation, str)
        else getattr(annotation, "__name__", "")
    )
    is_positional = first.kind in {
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    }
    return is_positional and (first.name == "run" or "RunContext" in noted)


def name_of(function: Callable[..., Any]) -> str:
    """Name a function by module and qualname; a script's module by its file.

    Raises:
        UsageError: It is a lambda or has no name.
    """
    qualname = getattr(function, "__qualname__", None)
    if not isinstance(qualname, str) or "<lambda>" in qualname:
        msg = (
            f"{function!r} has no name that would be the same after a restart: define "
            "it with def, or name it first: scheduler.handler('a-name')(function)"
        )
        raise UsageError(msg)
    module = getattr(function, "__module__", None) or "__main__"
    if module == "__main__":
        main = sys.modules["__main__"]
        spec, path = getattr(main, "__spec__", None), getattr(main, "__file__", None)
        if spec is not None:
            module = spec.name
        elif path is not None:
            module = Path(path).stem
    return f"{module}:{qualname}"


def is_typed_in(function: Callable[..., Any]) -> bool:
    """Whether a function was typed into a notebook or at a prompt: no file has it."""
    if getattr(function, "__module__", None) != "__main__":
        return False
    path = getattr(sys.modules["__main__"], "__file__", None)
    return not (path and Path(path).is_file())


def _check_importable(
    function: Callable[..., Any], *, name: str, wants_run: bool
) -> None:
    qualname = getattr(function, "__qualname__", "<lambda>")
    if "<" in qualname or isinstance(function, partial):
        msg = (
            f"handler {name!r} cannot run in executor='process': another process can "
            "only import functions that stand at the top level of a module"
        )
        raise UsageError(msg)
    if is_typed_in(function):
        msg = (
            f"handler {name!r} cannot run in executor='process': another process "
            "cannot see what was typed into a notebook or a prompt; define it in a "
            "file and import it"
        )
        raise UsageError(msg)
    if wants_run:
        msg = (
            f"handler {name!r} cannot run in executor='process' and take the run: the "
            "run lives in this process; pass what it needs as arguments"
        )
        raise UsageError(msg)


def _refuse_namesake(known: Handler, handler: Handler) -> None:
    """Refuse what has the name of another by where it is written, and is not the same."""
    name, function = handler.name, handler.function
    is_named_so = name.endswith(f":{getattr(function, '__qualname__', None)}")
    if not is_named_so or _is_same(known.function, function):
        return
    if "<locals>" in name:
        msg = (
            f"two functions are called {name!r}; they were made inside a "
            "function, so give each a name of its own: handler='a-name' in "
            "@scheduler.job, or scheduler.handler('a-name')(function)"
        )
        raise UsageError(msg)
    # In a notebook the newest wins: who executes a cell again makes its objects anew.
    if _owner_of(function) is not _owner_of(known.function) and not is_typed_in(
        function
    ):
        msg = (
            f"methods of two objects are called {name!r}; give each a name of its own: "
            "scheduler.handler('a-name')(an_object.method)"
        )
        raise UsageError(msg)


def _is_same(one: object, other: object) -> bool:
    if one is other:
        return True
    # Each look at a method of an object makes a new one.
    function = getattr(one, "__func__", one)
    is_method = function is getattr(other, "__func__", None)
    return is_method and _owner_of(one) is _owner_of(other)


def _owner_of(function: object) -> object:
    return getattr(function, "__self__", None)


class Registry:
    """The handlers of one scheduler."""

    def __init__(self) -> None:
        self._by_name: dict[str, Handler] = {}
        self._by_function: dict[int, Handler] = {}
        self.names: tuple[str, ...] = ()

    def add(self, handler: Handler) -> None:
        """Register a handler. The newest definition of a function runs.

        Raises:
            UsageError: Another function made inside a function has the name, or the
                method of another object: which one is meant would depend on the order
                of calls.
        """
        known = self._by_name.get(handler.name)
        if known is not None:
            _refuse_namesake(known, handler)
        if known is not None:
            self._by_function.pop(id(known.function), None)
        self._by_name[handler.name] = handler
        self._by_function[id(handler.function)] = handler
        self.names = tuple(sorted(self._by_name))

    def get(self, name: str) -> Handler | None:
        """Find a handler by its name."""
        return self._by_name.get(name)

    def of(self, function: Callable[..., Any]) -> Handler | None:
        """Find the handler that a function was registered as."""
        return self._by_function.get(id(function))

    def names_in(self, executor: Executor) -> tuple[str, ...]:
        """List the handlers that run in one kind of place."""
        return tuple(
            name
            for name, handler in self._by_name.items()
            if handler.executor is executor
        )
