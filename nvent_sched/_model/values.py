"""Changed copies of frozen values, fast: each run passes through several. Pure."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

V = TypeVar("V")


@lru_cache(None)
def _slots_of(
    kind: type[Any],
) -> tuple[Callable[[Any], tuple[Any, ...]], dict[str, Callable[[Any, Any], None]]]:
    names = [field.name for field in fields(kind)]
    return attrgetter(*names), {name: kind.__dict__[name].__set__ for name in names}


def changed(value: V, **changes: Any) -> V:  # noqa: ANN401  the fields' own types
    """Copy a frozen, slotted dataclass with some fields changed; it stays valid.

    Does what `dataclasses.replace` does at 40 % of its cost (3.0 against 7.5 us on a run
    with 27 fields), by setting the slots instead of calling `__init__`. For classes with
    at least two fields and a `__post_init__`.
    """
    kind: Any = type(value)
    read, setters = _slots_of(kind)
    copied = object.__new__(kind)
    for set_field, held in zip(setters.values(), read(value), strict=True):
        set_field(copied, held)
    for name, held in changes.items():
        setters[name](copied, held)
    copied.__post_init__()
    return cast("V", copied)
