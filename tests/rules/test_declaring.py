"""From what a user writes to a job's definition: what is allowed, and each refusal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.instants import instant_from
from nvent_sched._model.jobs import PAYLOAD_BYTES_MAX, JobDefinition
from nvent_sched._model.policies import (
    DEFAULT_POLICIES,
    Misfire,
    OnLost,
    Overlap,
    Retry,
)
from nvent_sched._rules.declaring import (
    METADATA_BYTES_MAX,
    READERS,
    TAGS_MAX,
    JobOptions,
    definition_from,
    json_text,
    payload_from,
    policies_from,
)
from nvent_sched._rules.schedules import Interval
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
NAIVE: Final = datetime(2026, 1, 1)  # noqa: DTZ001  what is refused
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def declare(schedule: Any = Interval(minutes=1), **given: Any) -> JobDefinition:  # noqa: ANN401, B008
    parts = {"id": "job", "name": None, "payload": "{}"}
    return definition_from(
        given.pop("handler", "work"),
        schedule,
        **{name: given.pop(name, part) for name, part in parts.items()},
        options=given,
        is_declared=False,
    )


@pytest.mark.parametrize(
    ("option", "given_value", "policy", "held"),
    [
        ("overlap", "buffer_one", "overlap", Overlap.BUFFER_ONE),
        ("overlap", Overlap.ALLOW_ALL, "overlap", Overlap.ALLOW_ALL),
        ("max_running", 3, "running_max", 3),
        ("max_running", None, "running_max", None),
        ("max_buffered", 5, "buffer_max", 5),
        ("misfire", "all", "misfire", Misfire.ALL),
        ("misfire_grace", SECOND, "misfire_grace_us", 1_000_000),
        ("catch_up_window", SECOND, "catch_up_window_us", 1_000_000),
        ("max_catch_up", 7, "catch_up_max", 7),
        ("retry", Retry(attempts=3), "retry", Retry(attempts=3)),
        ("timeout", SECOND, "timeout_us", 1_000_000),
        ("timeout", None, "timeout_us", None),
        ("on_lost", "fail", "on_lost", OnLost.FAIL),
        ("max_crashes", 1, "crashes_max", 1),
        ("pause_after_failures", 4, "pause_after_failures", 4),
        ("starts_at", NOON, "starts_at", instant_from(NOON)),
        ("ends_at", NOON, "ends_at", instant_from(NOON)),
        ("max_runs", 9, "runs_max", 9),
        ("jitter", SECOND, "jitter_us", 1_000_000),
        ("spread", SECOND, "spread_us", 1_000_000),
        ("stall_after", SECOND, "stall_after_us", 1_000_000),
    ],
)
def test_an_option_sets_its_policy(
    option: str,
    given_value: object,
    policy: str,
    held: object,
) -> None:
    policies = policies_from({option: given_value})

    assert getattr(policies, policy) == held


def test_every_option_that_is_typed_is_read() -> None:
    assert JobOptions.__annotations__.keys() == {*READERS, "tags", "metadata"}


def test_what_is_left_out_has_its_default_or_stays_as_it_was() -> None:
    base = policies_from({"jitter": SECOND})

    assert policies_from({}) is DEFAULT_POLICIES
    assert policies_from({"max_runs": 2}, base=base).jitter_us == 1_000_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"overlap": "sometimes"},
            (
                "overlap must be one of ['skip', 'buffer_one', 'buffer_all', "
                "'cancel_other', 'allow_all'], not 'sometimes'"
            ),
        ),
        (
            {"misfire": None},
            "misfire must be one of ['latest', 'skip', 'earliest', 'all'], not None",
        ),
        ({"on_lost": 5}, "on_lost must be one of ['retry', 'fail'], not 5"),
        ({"retry": 3}, "retry must be a Retry(...), not 3"),
        ({"timeout": 30}, "timeout must be a timedelta, not int 30"),
        (
            {"timeout": timedelta(0)},
            "timeout must be at least 0:00:00.001000, not 0:00:00",
        ),
        ({"jitter": -SECOND}, "jitter must be at least 0:00:00, not -1 day, 23:59:59"),
        ({"max_running": 0}, "max_running must be between 1 and 1000000000, not 0"),
        ({"max_buffered": "5"}, "max_buffered must be an int, not '5'"),
        ({"max_catch_up": None}, "max_catch_up must be an int, not None"),
        ({"max_crashes": True}, "max_crashes must be an int, not True"),
        ({"max_runs": -1}, "max_runs must be between 1 and 1000000000, not -1"),
        (
            {"pause_after_failures": 1.5},
            "pause_after_failures must be an int, not 1.5",
        ),
        ({"starts_at": "noon"}, "starts_at: expected an aware datetime, not str"),
        (
            {"starts_at": NOON, "ends_at": NOON - SECOND},
            "ends_at is before starts_at, so the job would never run",
        ),
        ({"tags": "ops"}, "tags must be a list of words, not 'ops'"),
        ({"metadata": [1]}, "metadata must be a mapping, not [1]"),
    ],
)
def test_a_refusal_says_what_was_given_and_what_is_allowed(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as told:
        declare(**options)

    assert str(told.value) == message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"schedule": "hourly"}, r"expected Cron\(...\), Interval\(...\) or OneTime"),
        ({"max_run": 5}, r"unknown option 'max_run'; known are .*'max_runs'"),
        ({"ends_at": NAIVE}, r"ends_at: naive datetime .*say which zone"),
        ({"id": ""}, "a job's id must have 1 to 200 characters"),
        ({"id": "x" * 201}, "a job's id must have 1 to 200 characters, not 201"),
        ({"id": " x"}, "a job's id must be printable"),
        ({"name": "a\nb"}, "a job's name must be printable"),
        ({"tags": [5]}, "a tag must be text, not int"),
        ({"tags": [f"{n}" for n in range(TAGS_MAX + 1)]}, "at most 50 tags, not 51"),
        ({"metadata": {"x": object()}}, "metadata must be JSON"),
        ({"metadata": {"x": "y" * METADATA_BYTES_MAX}}, "at most 16384 bytes"),
        ({"payload": "x" * (PAYLOAD_BYTES_MAX + 1)}, "store them elsewhere and pass"),
    ],
)
def test_a_refusal_says_what_to_do(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        declare(**given)


@pytest.mark.parametrize(
    ("args", "kwargs", "payload"),
    [
        ((), None, "{}"),
        ([], {}, "{}"),
        ([1, "ä"], None, '{"args":[1,"ä"]}'),
        ((), {"b": 1, "a": None}, '{"kwargs":{"a":null,"b":1}}'),
        ((n for n in (1, 2)), {"x": True}, '{"args":[1,2],"kwargs":{"x":true}}'),
    ],
)
def test_arguments_are_written_in_one_way(
    args: Iterable[Any], kwargs: dict[str, Any] | None, payload: str
) -> None:
    assert payload_from(args, kwargs) == payload


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ("ada", None, "args must be a list of arguments, not 'ada'"),
        (5, None, "args must be a list of arguments, not 5"),
        ([object()], None, "the arguments must be JSON"),
        ([float("nan")], None, "the arguments must be JSON"),
        (["\ud800"], None, "the arguments must be JSON"),
        ([{1: "a"}], None, "with text keys"),
        ((), {"by": [{"x": {None: 1}}]}, "with text keys"),
        ((), [1], "kwargs must be a mapping of arguments"),
    ],
)
def test_what_is_no_argument_is_refused(args: Any, kwargs: Any, words: str) -> None:  # noqa: ANN401
    with pytest.raises(UsageError, match=words):
        payload_from(args, kwargs)


@given(value=JSON)
def test_json_can_be_read_back_and_is_written_in_one_way(value: object) -> None:
    text = json_text(value, what="it")

    assert json.loads(text) == value
    assert json_text(json.loads(text), what="it") == text


def test_a_definition_holds_what_was_declared() -> None:
    declared = declare(tags=["b", "a", "b"], metadata={"x": 1}, max_runs=2)

    assert declared.name == declared.id == "job"
    assert declared.schedule == Interval(minutes=1).spec()
    assert (declared.tags, declared.metadata) == (("b", "a"), '{"x":1}')
    assert declared.policies.runs_max == 2
