"""The codec: every value survives the round trip; what cannot be read says so."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched._model.instants import (
    INSTANT_MAX,
    INSTANT_MIN,
    MICROSECOND,
    SPAN_MAX,
    Instant,
)
from nvent_sched._model.jobs import JobDefinition
from nvent_sched._model.policies import (
    COUNT_LIMIT,
    Misfire,
    OnLost,
    Overlap,
    Policies,
    Retry,
)
from nvent_sched._model.runs import Attempt, Outcome
from nvent_sched.adapters._codec import (
    SCHEMA,
    attempts_from,
    attempts_text,
    compact,
    definition_from,
    definition_text,
    lines_from,
    lines_text,
)
from nvent_sched.errors import SchemaError, StoreCorruptError

instants = st.integers(INSTANT_MIN, INSTANT_MAX).map(Instant)
counts = st.integers(1, COUNT_LIMIT)
spans = st.timedeltas(min_value=timedelta(0), max_value=SPAN_MAX)
lengths = st.integers(1_000, SPAN_MAX // MICROSECOND)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20
)
payloads = st.fixed_dictionaries(
    {},
    optional={"args": st.lists(texts), "kwargs": st.dictionaries(texts, texts)},
).map(compact)
errors = st.lists(st.sampled_from([ValueError, TimeoutError]) | names, max_size=3)

retries = st.builds(
    Retry,
    attempts=st.integers(1, 1_000),
    delay=spans,
    backoff=st.floats(1, 1_000) | st.integers(1, 1_000),
    delay_max=spans,
    jitter=st.floats(0, 1),
    on=errors.map(tuple),
    never_on=errors.map(tuple),
)
windows = st.lists(instants, min_size=2, max_size=2).map(sorted) | st.tuples(
    st.none() | instants, st.none()
)
policies = windows.flatmap(
    lambda window: st.builds(
        Policies,
        overlap=st.sampled_from(Overlap),
        running_max=st.none() | counts,
        buffer_max=counts,
        misfire=st.sampled_from(Misfire),
        misfire_grace_us=lengths,
        catch_up_window_us=lengths,
        catch_up_max=counts,
        retry=retries,
        timeout_us=st.none() | lengths,
        on_lost=st.sampled_from(OnLost),
        crashes_max=counts,
        pause_after_failures=st.none() | counts,
        starts_at=st.just(window[0]),
        ends_at=st.just(window[1]),
        runs_max=st.none() | counts,
        jitter_us=lengths,
        spread_us=lengths,
        stall_after_us=st.none() | lengths,
    )
)
definitions = st.builds(
    JobDefinition,
    id=names,
    name=names,
    handler=names,
    schedule=texts,
    payload=payloads,
    policies=policies | st.just(Policies()),
    tags=st.lists(texts).map(tuple),
    metadata=st.dictionaries(texts, texts).map(compact),
    declared=st.booleans(),
)
attempts = st.builds(
    Attempt,
    number=counts,
    outcome=st.sampled_from(Outcome),
    instance=st.none() | names,
    started_at=st.none() | instants,
    ended_at=instants,
    error=st.none() | texts,
)


@given(definitions)
def test_a_definition_survives_the_round_trip(definition: JobDefinition) -> None:
    assert definition_from(definition_text(definition)) == definition


@given(definitions)
def test_a_definition_that_was_read_is_written_as_it_was(
    definition: JobDefinition,
) -> None:
    text = definition_text(definition)

    assert definition_text(definition_from(text)) == text


@given(st.lists(attempts).map(tuple))
def test_attempts_survive_the_round_trip(made: tuple[Attempt, ...]) -> None:
    assert attempts_from(attempts_text(made)) == made


@given(st.lists(texts).map(tuple))
def test_log_lines_survive_the_round_trip(lines: tuple[str, ...]) -> None:
    assert lines_from(lines_text(lines)) == lines


def test_nothing_is_written_for_nothing() -> None:
    assert attempts_text(()) is None
    assert lines_text(()) is None


def test_only_what_differs_from_the_default_is_written() -> None:
    plain = JobDefinition(id="a", name="a", handler="h", schedule="s")
    record = json.loads(definition_text(plain))

    assert record == {"v": SCHEMA, "id": "a", "handler": "h", "schedule": "s"}


def test_the_text_of_a_definition_is_what_it_was_in_earlier_releases() -> None:
    definition = JobDefinition(
        id="a",
        name="A",
        handler="h",
        schedule="s",
        policies=Policies(retry=Retry(attempts=2, on=(ValueError,)), timeout_us=5_000),
        tags=("x",),
        declared=True,
    )

    assert definition_text(definition) == (
        '{"declared":true,"handler":"h","id":"a","name":"A","policies":{"retry":'
        '{"attempts":2,"on":["builtins.ValueError"]},"timeout_us":5000},'
        '"schedule":"s","tags":["x"],"v":1}'
    )


@given(st.text())
def test_any_text_is_a_definition_or_corrupt(text: str) -> None:
    with pytest.raises(StoreCorruptError, match="a job's definition cannot be read"):
        definition_from(text)


GOOD: dict[str, Any] = {"v": 1, "id": "a", "handler": "h", "schedule": "s"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"v": "1"},
        {"v": None},
        {"id": ""},
        {"id": 5},
        {"handler": None},
        {"payload": 5},
        {"payload": "{"},
        {"payload": "[]"},
        {"payload": '{"args":5}'},
        {"payload": '{"kwargs":[]}'},
        {"metadata": "{"},
        {"metadata": "[]"},
        {"schedule": 5},
        {"name": 5},
        {"policies": 5},
        {"policies": {"overlap": "sometimes"}},
        {"policies": {"unheard_of": 1}},
        {"policies": {"buffer_max": 0}},
        {"policies": {"retry": {"attempts": "many"}}},
        {"policies": {"retry": {"delay": "long"}}},
        {"policies": {"timeout_us": "long"}},
        {"tags": 5},
        {"tags": [5]},
        {"declared": "yes"},
    ],
    ids=str,
)
def test_a_definition_with_a_wrong_part_is_corrupt(wrong: dict[str, Any]) -> None:
    with pytest.raises(StoreCorruptError):
        definition_from(compact(GOOD | wrong))


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_definition_without_a_part_is_corrupt(missing: str) -> None:
    kept = {name: value for name, value in GOOD.items() if name != missing}

    with pytest.raises(StoreCorruptError):
        definition_from(compact(kept))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", "[" * 100_000])
def test_what_is_not_a_record_is_corrupt_and_the_text_is_cited(text: str) -> None:
    with pytest.raises(StoreCorruptError) as raised:
        definition_from(text)

    assert len(str(raised.value)) < 500
    assert raised.value.__cause__ is not None


def test_a_newer_schema_is_not_touched() -> None:
    newer = compact(GOOD | {"v": SCHEMA + 1, "policies": {"unheard_of": 1}})

    with pytest.raises(SchemaError, match=r"newer release: schema 2, we know 1"):
        definition_from(newer)


@pytest.mark.parametrize(
    "text", ["{", "5", "[5]", "[[]]", '[[1,"vanished",null,null,5]]', '[[1,"failed"]]']
)
def test_attempts_that_cannot_be_read_are_corrupt(text: str) -> None:
    with pytest.raises(StoreCorruptError, match="the attempts of a run cannot be read"):
        attempts_from(text)


@pytest.mark.parametrize("text", ["[", "5", "null"])
def test_a_log_that_cannot_be_read_is_corrupt(text: str) -> None:
    with pytest.raises(StoreCorruptError, match="the log of a run cannot be read"):
        lines_from(text)


@given(st.dictionaries(texts, st.none() | st.integers() | st.floats(allow_nan=False)))
def test_canonical_json_does_not_depend_on_the_order_of_keys(
    record: dict[str, Any],
) -> None:
    backwards = dict(reversed(record.items()))

    assert compact(record) == compact(backwards)
    assert json.loads(compact(record)) == record
