"""The table of guards fits the package as it is, so that it cannot rot unseen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nvent_sched
from tests.mutants.table import guards

if TYPE_CHECKING:
    from tests.mutants.table import Guard

PARENT = Path(nvent_sched.__file__).parents[1]
TESTS = Path(__file__).parents[1]
ALL = list(guards())


def said(guard: Guard) -> str:
    return f"{guard.part}: {guard.name}"


@pytest.mark.parametrize("guard", ALL, ids=said)
def test_a_guard_is_in_its_file_once_and_its_tests_exist(guard: Guard) -> None:
    guard.without((PARENT / guard.path).read_text("utf-8"))

    for test in guard.tests:
        assert (TESTS.parent / test.partition("::")[0]).is_file()


def test_no_two_guards_have_one_name() -> None:
    assert len({*map(said, ALL)}) == len(ALL)
