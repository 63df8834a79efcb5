"""Policies in words. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from nvent_sched._model.policies import DEFAULT_POLICIES, PoliciesSnapshot, Retry
from nvent_sched._rules.viewing import policies_view
from nvent_sched._views.words import count_words, moment_words, span_words

if TYPE_CHECKING:
    from collections.abc import Iterator

ALWAYS: Final = ("overlap", "misfire")
USUAL: Final = policies_view(DEFAULT_POLICIES)


def policies_words(policies: PoliciesSnapshot) -> str:
    """Say what is chosen; overlap and misfire always, the rest if not the default."""
    return ", ".join(f"{name} {words}" for name, words in policy_pairs(policies))


def policy_pairs(policies: PoliciesSnapshot) -> Iterator[tuple[str, str]]:
    """Name what is chosen and say it, one by one."""
    for name in ALWAYS:
        yield name, _value(getattr(policies, name))
    for name in PoliciesSnapshot.__dataclass_fields__:
        value = getattr(policies, name)
        if name not in ALWAYS and value != getattr(USUAL, name):
            yield name.replace("_", " "), _value(value)


def _value(value: object) -> str:
    if isinstance(value, Retry):
        return (
            f"{count_words(value.attempts, 'attempt')} from {span_words(value.delay)} "
            f"× {value.backoff:g}"  # noqa: RUF001  times
        )
    if isinstance(value, timedelta):
        return span_words(value)
    if isinstance(value, datetime):
        return moment_words(value)
    return str(value.value if isinstance(value, Enum) else value)
