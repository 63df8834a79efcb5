"""The decorators, before the start and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from nvent_sched.blocking.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Unpack

    from nvent_sched._model.schedules import Schedule
    from nvent_sched._rules.declaring import JobOptions

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
        return self._in_loop(self._scheduler.handler(name, executor=executor))

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
        declare = self._scheduler.job(
            schedule,
            id=id,
            name=name,
            handler=handler,
            executor=executor,
            args=args,
            kwargs=kwargs,
            **options,
        )
        return self._in_loop(declare)
