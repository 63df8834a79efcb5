"""Frozen values that are cheap to make: each run passes through a dozen of them. Pure.

A frozen dataclass sets its fields through `object.__setattr__`, which is most of what it
costs. `quick` gives it a twin with the same slots that is not frozen: a value is filled as
its twin, by plain stores, and becomes frozen by taking its own class, before anybody sees
it. Measured on a run with 28 fields: 1.6 instead of 3.7 us to make one, 1.1 instead of
7.5 us to copy it with two fields changed.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

V = TypeVar("V")
_TWINS: dict[type[Any], type[Any]] = {}


def quick(kind: type[V]) -> type[V]:
    """Make a dataclass cheap to create; written above `@dataclass`.

    Args:
        kind: Frozen, slotted, all fields keyword-only, derived from nothing.
    """
    names = [field.name for field in fields(cast("Any", kind))]
    twin = type(f"_{kind.__name__}Twin", (), {"__slots__": tuple(names)})
    _TWINS[kind] = twin
    _give_init(kind, twin)
    return kind


def _give_init(kind: type[Any], twin: type[Any]) -> None:
    # The names of ours begin with an underscore; a field's name does not.
    parameters: list[str] = []
    lines = ["_become(self, _twin)"]
    known: dict[str, Any] = {
        "_twin": twin,
        "_kind": kind,
        "_become": cast("Any", object.__dict__["__class__"]).__set__,
        "_unset": MISSING,
    }
    for field in fields(kind):
        name, value = field.name, field.name
        default = field.default
        if field.default_factory is not MISSING:
            known[f"_make_{name}"] = field.default_factory
            default, value = MISSING, f"_make_{name}() if {name} is _unset else {name}"
            parameters.append(f"{name}=_unset")
        elif default is MISSING:
            parameters.append(name)
        else:
            known[f"_default_{name}"] = default
            parameters.append(f"{name}=_default_{name}")
        lines.append(f"self.{name} = {value}")
    lines.append("self.__class__ = _kind")
    if hasattr(kind, "__post_init__"):
        lines.append("self.__post_init__()")
    made = _function(f"__init__(self, *, {', '.join(parameters)})", lines, known)
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    made.__annotations__ = kind.__init__.__annotations__
    kind.__init__ = made  # pyright: ignore[reportAttributeAccessIssue]


def _function(
    head: str, lines: Iterable[str], known: dict[str, Any]
) -> Callable[..., Any]:
    text = "\n    ".join([f"def {head}:", *lines])
    scope = dict(known)
    # As `dataclasses` itself does; all names are those of fields.
    exec(text, scope)  # noqa: S102
    made: Callable[..., Any] = scope[head.partition("(")[0]]
    made.__module__ = __name__
    return made


def changed(value: V, **changes: Any) -> V:  # noqa: ANN401  the fields' own types
    """Copy a quick value with some fields changed; it stays valid."""
    kind: Any = type(value)
    copied: V = _copier(kind, tuple(changes))(value, changes)
    return copied


@cache
def _copier(kind: type[Any], names: tuple[str, ...]) -> Callable[[Any, Any], Any]:
    """Make what copies a value, with these fields taken from elsewhere.

    Which fields are changed together is written in the code: there are a few dozen.
    """
    known = [field.name for field in fields(kind)]
    if unknown := set(names) - set(known):
        msg = f"{kind.__name__} has no {', '.join(sorted(unknown))}"
        raise AttributeError(msg)
    kept = [f"made.{name} = given.{name}" for name in known if name not in names]
    changes = [f"made.{name} = changes[{name!r}]" for name in names]
    return _function(
        "copied(given, changes)",
        [
            *("made = twin()", *kept, *changes, "made.__class__ = kind"),
            *("made.__post_init__()", "return made"),
        ],
        {"twin": _TWINS[kind], "kind": kind},
    )


def maker(kind: type[V], names: Iterable[str]) -> Callable[[Iterable[Any]], V]:
    """Make quick values from what their fields hold, in the order of *names*."""
    targets = ", ".join(f"made.{name}" for name in names)
    return _function(
        "make(held)",
        [
            "made = twin()",
            f"{targets}, = held",
            "made.__class__ = kind",
            "made.__post_init__()",
            "return made",
        ],
        {"twin": _TWINS[kind], "kind": kind},
    )
