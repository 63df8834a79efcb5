"""An adapter whose calls are counted, so that one can tell when nothing is under way."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._port import Adapter


class Watched:
    """Passes every verb on to an adapter and counts those that have not answered.

    Attributes:
        calls: How many have not answered.
    """

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.calls = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the adapter has
        verb = getattr(self._adapter, name)
        if not inspect.iscoroutinefunction(verb):
            return verb
        counted = self._counted(verb)
        # Found once, looked up directly ever after.
        self.__dict__[name] = counted
        return counted

    def _counted(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(verb)
        async def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  passed on
            self.calls += 1
            try:
                return await verb(*args, **kwargs)
            finally:
                self.calls -= 1

        return call


def watched(adapter: Adapter) -> tuple[Adapter, Callable[[], int]]:
    """Wrap an adapter; also say how to read its number of open calls."""
    wrapped = Watched(adapter)
    return cast("Adapter", wrapped), lambda: wrapped.calls
