"""Policies in words. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import moment_from
from nvent_sched._model.policies import DEFAULT_POLICIES, Policies, Retry
from nvent_sched._views.words import count_words, moment_words, span_words

if TYPE_CHECKING:
    from collections.abc import Iterator

SPANS: Final = "_us"
ALWAYS: Final = ("overlap", "misfire")


def policies_words(policies: Policies) -> str:
    """Say what is chosen; overlap and misfire always, the rest if not the default."""
    return ", ".join(f"{name} {words}" for name, words in policy_pairs(policies))


def policy_pairs(policies: Policies) -> Iterator[tuple[str, str]]:
    """Name what is chosen and say it, one by one."""
    for name in ALWAYS:
        yield name, _value(name, getattr(policies, name))
    for name in Policies.__dataclass_fields__:
        value = getattr(policies, name)
        if name not in ALWAYS and value != getattr(DEFAULT_POLICIES, name):
            yield name.removesuffix(SPANS).replace("_", " "), _value(name, value)


def _value(name: str, value: object) -> str:
    if isinstance(value, Retry):
        return (
            f"{count_words(value.attempts, 'attempt')} from {span_words(value.delay)} "
            f"× {value.backoff:g}"  # noqa: RUF001  times
        )
    if isinstance(value, int) and name.endswith(SPANS):
        return span_words(timedelta(microseconds=value))
    if isinstance(value, int) and name in {"starts_at", "ends_at"}:
        return moment_words(moment_from(value))
    return str(value.value if isinstance(value, Enum) else value)
