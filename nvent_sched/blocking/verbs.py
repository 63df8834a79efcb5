"""What every group of verbs stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched.blocking.life import Life
    from nvent_sched.scheduler import Scheduler

P = ParamSpec("P")
T = TypeVar("T")


class Verbs:
    """Verbs of the scheduler underneath, each awaited in its loop."""

    _scheduler: Scheduler
    _life: Life

    def _call(
        self, verb: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return self._life.call(verb, *args, **kwargs)
