"""Values to text and back, with a schema number. Pure; shared by every adapter.

Only what differs from the default is written, so that a record stays small and a field
added later reads as its default. Text that cannot be read raises `StoreCorruptError`
(the adapter puts the record into quarantine), text of a newer schema `SchemaError`.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from nvent_sched._model.instants import MICROSECOND, Instant
from nvent_sched._model.jobs import JobDefinition
from nvent_sched._model.policies import (
    DEFAULT_POLICIES,
    NO_RETRY,
    Misfire,
    OnLost,
    Overlap,
    Policies,
    Retry,
)
from nvent_sched._model.runs import Attempt, Outcome
from nvent_sched.errors import SchemaError, StoreCorruptError

SCHEMA: Final = 1
DEFINITION_END: Final = f'"v":{SCHEMA}}}'
"""How the text of every definition ends that this release writes."""
CACHED_MAX: Final = 4_096
UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
_ENUMS: Final = {"overlap": Overlap, "misfire": Misfire, "on_lost": OnLost}
_POLICY_NAMES: Final = tuple(field.name for field in fields(Policies))
_SPANS: Final = ("delay", "delay_max")


# `json.loads` looks each time at what kind of text it is given.
_decode: Final = json.JSONDecoder().decode
# Made once: `json.dumps` makes one a call unless all is as it would be without a word.
compact: Final = json.JSONEncoder(
    separators=(",", ":"), sort_keys=True, ensure_ascii=False
).encode
"""Write canonical JSON: no blanks, keys in order."""

quoted: Final = json.JSONEncoder(ensure_ascii=False).encode
"""Write a text as JSON does; much less work than a record."""


def definition_text(definition: JobDefinition) -> str:
    """Write what a user declared."""
    # Put together by hand, keys in order: a quarter of the work of `compact`.
    parts = ['"declared":true'] if definition.declared else []
    parts += (
        f'"handler":{quoted(definition.handler)}',
        f'"id":{quoted(definition.id)}',
    )
    if definition.metadata != "{}":
        parts.append(f'"metadata":{quoted(definition.metadata)}')
    if definition.name != definition.id:
        parts.append(f'"name":{quoted(definition.name)}')
    if definition.payload != "{}":
        parts.append(f'"payload":{quoted(definition.payload)}')
    if definition.policies != DEFAULT_POLICIES:
        parts.append(f'"policies":{compact(_policies_record(definition.policies))}')
    parts.append(f'"schedule":{quoted(definition.schedule)}')
    if definition.tags:
        parts.append(f'"tags":{compact(definition.tags)}')
    return f"{{{','.join(parts)},{DEFINITION_END}"


@lru_cache(CACHED_MAX)
def definition_from(text: str) -> JobDefinition:
    """Read what `definition_text` wrote.

    Raises:
        SchemaError: A newer release wrote it.
        StoreCorruptError: It is not such a text.
    """
    try:
        record = _decode(text)
        if record["v"] > SCHEMA:
            msg = f"written by a newer release: schema {record['v']}, we know {SCHEMA}"
            raise SchemaError(msg)
        return JobDefinition(
            id=record["id"],
            name=record.get("name", record["id"]),
            handler=record["handler"],
            schedule=_text(record["schedule"]),
            payload=payload_from(record.get("payload", "{}")),
            policies=_policies_from(record.get("policies")),
            tags=tuple(map(_text, record.get("tags", ()))),
            metadata=_object_text(record.get("metadata", "{}")),
            declared=_flag(record.get("declared", False)),
        )
    except UNREADABLE as error:
        msg = f"a job's definition cannot be read: {error!r}; text {text[:80]!r}"
        raise StoreCorruptError(msg) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        msg = f"not a text: {value!r}"
        raise TypeError(msg)
    return value


def _integer(value: object) -> int:
    if type(value) is not int:
        msg = f"not an integer: {value!r}"
        raise TypeError(msg)
    return value


def _list(text: str) -> list[Any]:
    found = _decode(text)
    if not isinstance(found, list):
        msg = f"not a list: {text[:80]!r}"
        raise TypeError(msg)
    return found


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        msg = f"neither true nor false: {value!r}"
        raise TypeError(msg)
    return value


def _object_text(text: str) -> str:
    """Return a text that holds a JSON object; who reads it does not ask again."""
    if text != "{}":
        _object(text)
    return text


@lru_cache(CACHED_MAX)
def payload_from(text: str) -> str:
    """Return the text of a run's arguments, if that is what it is.

    Raises:
        ValueError: It is no JSON.
        TypeError: It holds something else.
    """
    if text != "{}":
        given = _object(text)
        list_of, dict_of = given.get("args", []), given.get("kwargs", {})
        if not isinstance(list_of, list) or not isinstance(dict_of, dict):
            msg = f"no arguments: {text[:80]!r}"
            raise TypeError(msg)
    return text


def result_from(text: str | None) -> str | None:
    """Return the text of what a handler returned, if that is what it is.

    Raises:
        ValueError: It is no JSON.
    """
    if text is not None:
        _decode(text)
    return text


def _object(text: str) -> dict[str, Any]:
    given = _decode(text)
    if not isinstance(given, dict):
        msg = f"not an object: {text[:80]!r}"
        raise TypeError(msg)
    return given


def _policies_record(policies: Policies) -> dict[str, Any]:
    record = {
        name: value
        for name in _POLICY_NAMES
        if (value := getattr(policies, name)) != getattr(DEFAULT_POLICIES, name)
    }
    if "retry" in record:
        record["retry"] = _retry_record(policies.retry)
    return record


def _retry_record(retry: Retry) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for field in fields(Retry):
        value = getattr(retry, field.name)
        if value != getattr(NO_RETRY, field.name):
            is_span = isinstance(value, timedelta)
            record[field.name] = value // MICROSECOND if is_span else value
    return record


def _policies_from(record: dict[str, Any] | None) -> Policies:
    if record is None:
        return DEFAULT_POLICIES
    known = dict(record)
    for name, kind in _ENUMS.items():
        if name in known:
            known[name] = kind(known[name])
    if "retry" in known:
        parts = dict(known["retry"])
        for name in _SPANS:
            if name in parts:
                parts[name] = timedelta(microseconds=parts[name])
        known["retry"] = Retry(**parts)
    return Policies(**known)


def attempts_text(attempts: tuple[Attempt, ...]) -> str | None:
    """Write earlier attempts; None for none."""
    if not attempts:
        return None
    return compact(
        [
            [each.number, each.outcome, each.instance, each.started_at, each.ended_at]
            + ([] if each.error is None else [each.error])
            for each in attempts
        ]
    )


def attempts_from(text: str | None) -> tuple[Attempt, ...]:
    """Read what `attempts_text` wrote.

    Raises:
        StoreCorruptError: It is not such a text.
    """
    if text is None:
        return ()
    try:
        return tuple(map(_attempt_from, _list(text)))
    except UNREADABLE as error:
        msg = f"the attempts of a run cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error


def _attempt_from(record: list[Any]) -> Attempt:
    number, outcome, instance, started_at, ended_at, *rest = record
    error = rest[0] if rest else None
    return Attempt(
        number=_integer(number),
        outcome=Outcome(outcome),
        instance=None if instance is None else _text(instance),
        started_at=None if started_at is None else Instant(_integer(started_at)),
        ended_at=Instant(_integer(ended_at)),
        error=None if error is None else _text(error),
    )


def names_from(text: str, *, of: str) -> tuple[str, ...]:
    """Read a list of names.

    Args:
        text: JSON.
        of: Whose names, for the message.

    Raises:
        StoreCorruptError: It is no such list.
    """
    try:
        return tuple(map(_text, _list(text)))
    except UNREADABLE as error:
        msg = f"the handlers of instance {of!r} cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error


def lines_text(lines: tuple[str, ...]) -> str | None:
    """Write log lines; None for none."""
    return compact(lines) if lines else None


def lines_from(text: str | None) -> tuple[str, ...]:
    """Read what `lines_text` wrote.

    Raises:
        StoreCorruptError: It is not such a text.
    """
    if text is None:
        return ()
    try:
        return tuple(map(_text, _list(text)))
    except UNREADABLE as error:
        msg = f"the log of a run cannot be read: {error!r}"
        raise StoreCorruptError(msg) from error
