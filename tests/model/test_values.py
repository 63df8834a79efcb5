"""A quick value is what its dataclass says, only cheaper to make."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.values import changed, maker, quick

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    kind: str
    twin: int = 1
    self_: tuple[str, ...] = ()
    held: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.twin >= 0


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    kind: str
    twin: int = 1
    self_: tuple[str, ...] = ()
    held: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.twin >= 0


def facts(value: Slow | Quick) -> dict[str, object]:
    return {each.name: getattr(value, each.name) for each in fields(value)}


given_fields = st.fixed_dictionaries(
    {"kind": st.text()},
    optional={
        "twin": st.integers(0, 9),
        "self_": st.just(("a",)),
        "held": st.just({"b": 2}),
    },
)


@given(given_fields)
def test_it_holds_what_a_dataclass_would(known: dict[str, object]) -> None:
    quickly, slowly = Quick(**known), Slow(**known)  # type: ignore[arg-type]

    assert facts(quickly) == facts(slowly)
    assert repr(quickly) == repr(slowly).replace("Slow", "Quick")
    assert type(quickly) is Quick
    assert quickly == Quick(**known)  # type: ignore[arg-type]


@given(given_fields, given_fields)
def test_a_changed_copy_is_what_replace_would_give(
    known: dict[str, object], changes: dict[str, object]
) -> None:
    value = Quick(**known)  # type: ignore[arg-type]
    before = facts(value)

    copied = changed(value, **changes)

    assert copied == replace(value, **changes)  # type: ignore[arg-type]
    assert type(copied) is Quick
    assert facts(value) == before


def test_it_cannot_be_changed() -> None:
    for value in (Quick(kind="a"), changed(Quick(kind="a"), kind="b")):
        with pytest.raises(FrozenInstanceError):
            value.kind = "c"  # type: ignore[misc]


def test_it_is_checked_however_it_is_made() -> None:
    make = maker(Quick, ["twin", "kind", "self_", "held"])

    assert make((2, "a", (), {})) == Quick(kind="a", twin=2)
    ways: tuple[Callable[[], Quick], ...] = (
        lambda: Quick(kind="a", twin=-1),
        lambda: changed(Quick(kind="a"), twin=-1),
        lambda: make((-1, "a", (), {})),
    )
    for wrong in ways:
        with pytest.raises(AssertionError):
            wrong()


def test_fields_that_are_missing_or_unknown_are_refused() -> None:
    make = maker(Quick, ["kind", "twin", "self_", "held"])

    with pytest.raises(TypeError):
        Quick()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Quick(kind="a", other=1)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        changed(Quick(kind="a"), other=1)
    with pytest.raises(ValueError, match="unpack"):
        make(("a",))


def test_each_has_a_default_of_its_own() -> None:
    assert Quick(kind="a").held is not Quick(kind="a").held


def test_it_can_be_pickled_and_copied() -> None:
    value = Quick(kind="a", held={"b": 1})

    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301  our own
    assert copy.deepcopy(value) == copy.copy(value) == value


def test_it_says_how_it_is_made() -> None:
    names = list(inspect.signature(Quick).parameters)

    assert names == ["kind", "twin", "self_", "held"]
