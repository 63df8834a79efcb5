"""What errors say: why and what to do, however much was given."""

from __future__ import annotations

import pytest

from nvent_sched._model.policies import count_in_range
from nvent_sched.errors import UnknownJobError, UnknownTriggerError, UsageError

LONG = "x" * 100_000


@pytest.mark.parametrize("kind", [UnknownJobError, UnknownTriggerError])
def test_a_long_value_is_not_repeated_whole(kind: type[UnknownJobError]) -> None:
    text = str(kind(LONG))

    assert len(text) < 1_100
    assert text.startswith("no ")
    assert text.endswith("exist")


def test_an_error_says_why_and_the_cure_about_a_long_value() -> None:
    with pytest.raises(UsageError, match=r"^n must be an int, not 'x+ \.\.\. x+'$"):
        count_in_range(LONG, name="n", most=1)  # type: ignore[arg-type]


def test_a_text_of_usual_length_stays_as_it_is() -> None:
    assert str(UsageError("x" * 1_000)) == "x" * 1_000
