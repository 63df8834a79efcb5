"""The decorators, before the start and after it."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from nvent_sched._engine.registry import handler_of, is_typed_in, name_of
from nvent_sched._model.roles import checked_job_id
from nvent_sched._rules.declaring import (
    JobOptions,
    definition_from,
    payload_from,
)
from nvent_sched.errors import UsageError
from nvent_sched.scheduler.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Unpack

    from nvent_sched._engine.registry import Handler, Registry
    from nvent_sched._model.jobs import JobDefinition
    from nvent_sched._model.schedules import Schedule

F = TypeVar("F", bound="Callable[..., Any]")


class DeclaringVerbs(Verbs):
    """What tells the scheduler of functions."""

    def handler(
        self, name: str | None = None, *, executor: str | None = None
    ) -> Callable[[F], F]:
        """Register a function as a handler without giving it a job (a decorator).

        Args:
            name: What stored jobs call it; without one its module and qualname.
            executor: "loop" for async functions, "thread" (default) or "process" for
                plain ones.

        Raises:
            UsageError: Something about it is not allowed.
        """
        refuse_bare(name, decorator="handler", write="handler()")

        def register(function: F) -> F:
            entry = handler_of(function, name=name, executor=executor)
            refuse_namesake(self._registry, entry, job_id=None, declared=self._declared)
            self._registry.add(entry)
            return function

        return register

    def job(  # noqa: PLR0913  the words of the API
        self,
        schedule: Schedule,
        *,
        id: str | None = None,  # noqa: A002  the API's word
        name: str | None = None,
        handler: str | None = None,
        executor: str | None = None,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[JobOptions],
    ) -> Callable[[F], F]:
        """Declare a job for a function (a decorator).

        The job is stored when the scheduler starts. Declaring the same one again, after
        a restart, changes nothing.

        Args:
            schedule: When.
            id: The job's id; without one the function's name.
            name: What people call it; without one the id.
            handler: What the store calls the function; without one the job's id.
            executor: "loop", "thread" or "process".
            args: Arguments, as JSON.
            kwargs: Keyword arguments, as JSON.
            **options: Policies, see `JobOptions`.

        Raises:
            UsageError: Something about it is not allowed.
        """
        refuse_bare(schedule, decorator="job", write="job(Interval(...))")

        def declare(function: F) -> F:
            job_id = name_of(function).rsplit(":", 1)[-1] if id is None else id
            checked_job_id(job_id)
            entry = handler_of(function, name=handler or job_id, executor=executor)
            entry.check_arguments(args, kwargs or {})
            definition = definition_from(
                entry.name,
                schedule,
                id=job_id,
                name=name,
                payload=payload_from(args, kwargs),
                options=options,
                is_declared=True,
            )
            refuse_namesake(
                self._registry, entry, job_id=job_id, declared=self._declared
            )
            self._registry.add(entry)
            self._declared[job_id] = definition
            if self._engine is not None:
                self._engine.declare_later(definition)
            return function

        return declare


def refuse_bare(given: object, *, decorator: str, write: str) -> None:
    """Refuse a function where a decorator's first argument belongs.

    Without its parentheses the decorator takes the function for that, and what it gives
    back takes the function's name: nothing would be registered, in silence.

    Raises:
        UsageError: It is a function, or a class.
    """
    if callable(given):
        name = getattr(given, "__qualname__", type(given).__qualname__)
        msg = (
            f"@scheduler.{decorator} was given {name}, a {type(given).__name__}: "
            f"write @scheduler.{write}"
        )
        raise UsageError(msg)


def refuse_namesake(
    registry: Registry,
    entry: Handler,
    *,
    job_id: str | None,
    declared: Mapping[str, JobDefinition],
) -> None:
    """Two functions cannot share a job's id or a handler's name; a redefinition may.

    In a notebook the newest wins, whatever it is called: who executes a cell again,
    or a better one in its place, means just that; but not that a job which is declared
    elsewhere calls another function from now on.

    Args:
        registry: The handlers that are known.
        entry: The one that comes.
        job_id: The job it is declared for; None for none.
        declared: The jobs of the code by their ids.

    Raises:
        UsageError: Two functions declare the job, or are called the same.
    """
    known = None if job_id is None else declared.get(job_id)
    if known is not None and not is_typed_in(entry.function):
        before = registry.get(known.handler)
        _refuse_other(before, entry, what=f"declare the job {job_id!r}", give="id")
    before = registry.get(entry.name)
    if is_typed_in(entry.function) and not any(
        each.handler == entry.name and each.id != job_id for each in declared.values()
    ):
        return
    what = f"are called the handler {entry.name!r}"
    _refuse_other(before, entry, what=what, give="handler name")


def _refuse_other(
    before: Handler | None, entry: Handler, *, what: str, give: str
) -> None:
    if before is None or _place_of(before.function) == _place_of(entry.function):
        return
    names = f"{_called(before.function)} and {_called(entry.function)}"
    msg = f"two functions {what}: {names}; give one of them another {give}"
    raise UsageError(msg)


def _place_of(function: Callable[..., Any]) -> tuple[str, str | None]:
    """Say where a function is written; one that is imported twice is one.

    A cell that is executed again has another file name each time, so none counts.
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    path = None if is_typed_in(function) else getattr(code, "co_filename", None)
    return _called(function), path


def _called(function: Callable[..., Any]) -> str:
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__qualname__", type(function).__qualname__)
