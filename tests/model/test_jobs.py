"""Jobs: what can name one, what can be its arguments, and what is always true of it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.claims import JobWrite
from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import (
    ID_LENGTH_MAX,
    PAYLOAD_BYTES_MAX,
    Job,
    JobDefinition,
    checked_name,
)
from nvent_sched.errors import UsageError

DEFINITION = JobDefinition(id="job", name="Job", handler="work", schedule="{}")
JOB = Job(
    definition=DEFINITION,
    version=1,
    anchor=Instant(0),
    considered_until=Instant(5),
    created_at=Instant(0),
    updated_at=Instant(0),
)


@given(st.text(max_size=ID_LENGTH_MAX + 5))
def test_a_name_is_returned_as_it_is_or_refused(text: str) -> None:
    is_name = (
        1 <= len(text) <= ID_LENGTH_MAX and text.isprintable() and text == text.strip()
    )
    try:
        accepted = checked_name(text, what="a name")
    except UsageError:
        assert not is_name
    else:
        assert is_name
        assert accepted == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a job's id must have 1 to 200 characters, not 0"),
        ("x" * 201, "a job's id must have 1 to 200 characters, not 201"),
        (" x", "a job's id must be printable, without control characters"),
        ("a\nb", "a job's id must be printable, without control characters"),
        ("\ud800", "a job's id must be printable, without control characters"),
        (5, "a job's id must be text, not int"),
        (None, "a job's id must be text, not NoneType"),
    ],
    ids=repr,
)
def test_what_cannot_be_an_id_is_refused_with_the_reason(
    text: object, message: str
) -> None:
    wrong: dict[str, Any] = {"id": text}

    with pytest.raises(UsageError, match=f"^{message}"):
        replace(DEFINITION, **wrong)


@pytest.mark.parametrize(
    ("field", "message"),
    [("name", "a job's name must have"), ("handler", "a handler's name must have")],
)
def test_the_message_says_which_name_is_wrong(field: str, message: str) -> None:
    wrong: dict[str, Any] = {field: ""}

    with pytest.raises(UsageError, match=f"^{message}"):
        replace(DEFINITION, **wrong)


def test_arguments_are_bounded_in_bytes_not_in_characters() -> None:
    fits = "é" * (PAYLOAD_BYTES_MAX // 2)

    assert replace(DEFINITION, payload=fits).payload == fits
    with pytest.raises(
        UsageError, match=r"the arguments of job 'job' take 262145 bytes"
    ):
        replace(DEFINITION, payload=fits + "x")


def test_equal_declarations_are_the_same_definition() -> None:
    assert replace(DEFINITION) == DEFINITION
    assert hash(replace(DEFINITION)) == hash(DEFINITION)


def test_a_job_has_the_id_of_its_definition() -> None:
    assert JOB.id == "job"


def test_a_value_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(JOB, "version", 2)  # noqa: B010  mypy knows that it is frozen


@pytest.mark.parametrize(
    "wrong",
    [{"version": 0}, {"next_time": Instant(5)}, {"next_time": Instant(4)}],
    ids=str,
)
def test_a_job_that_contradicts_itself_is_not_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        replace(JOB, **wrong)


@pytest.mark.parametrize("seen", [1, 2])
def test_a_write_grows_the_version_it_saw_by_one(seen: int) -> None:
    with pytest.raises(AssertionError):
        JobWrite(job=JOB, seen_version=seen)
    assert JobWrite(job=JOB, seen_version=0).job is JOB
