"""What every group of verbs stands on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched.blocking.life import Life
    from nvent_sched.scheduler import Scheduler

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., Any]")


class Verbs:
    """Verbs of the scheduler underneath, each awaited in its loop."""

    _scheduler: Scheduler
    _life: Life

    def _call(
        self, verb: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return self._life.call(verb, *args, **kwargs)

    def _where_the_loop_is(self, call: Callable[[], T]) -> T:
        """Call where the loop is, once there is one: it reads what we write."""
        if not self._life.is_running:
            return call()

        async def called() -> T:
            return call()

        return self._life.call(called)

    def _in_loop(self, register: Callable[[F], F]) -> Callable[[F], F]:
        """Register where the loop is, once there is one."""

        def decorate(function: F) -> F:
            return self._where_the_loop_is(partial(register, function))

        return decorate
