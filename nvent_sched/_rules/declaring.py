"""From what a user writes to a job's definition. Pure: every refusal happens here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime, timedelta  # noqa: TC003  JobOptions is read at run time
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar

from nvent_sched._model.instants import MILLISECOND_US, instant_from, span_us
from nvent_sched._model.jobs import JobDefinition, checked_name
from nvent_sched._model.policies import (
    COUNT_LIMIT,
    DEFAULT_POLICIES,
    Misfire,
    OnLost,
    Overlap,
    Policies,
    Retry,
    count_in_range,
)
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.demand import OnDemand
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from nvent_sched._model.schedules import Schedule

E = TypeVar("E", bound=StrEnum)
KINDS: Final = (Cron, Interval, OneTime, OnDemand)
TAGS_MAX: Final = 50
METADATA_BYTES_MAX: Final = 16 * 1024
_LISTS: Final = (list, tuple, Iterable)  # the usual ones first: the last is slow to ask
# Made once: `json.dumps` makes one a call unless all is as it would be without a word.
_canonical: Final = json.JSONEncoder(
    separators=(",", ":"), sort_keys=True, ensure_ascii=False, allow_nan=False
).encode


class JobOptions(TypedDict, total=False):
    """The policies of a job; what is left out has its default.

    Attributes:
        overlap: "skip" (default), "buffer_one", "buffer_all", "cancel_other" or
            "allow_all": what happens to an occurrence due while a run is going.
        max_running: With "allow_all": how many runs may be going at once.
        max_buffered: How many runs may wait behind others. Default 100.
        misfire: "latest" (default), "skip", "earliest" or "all": which occurrences
            that were missed are still run.
        misfire_grace: How late a run may start before it counts as missed. 60 s.
        catch_up_window: With "all": how far back. 1 day.
        max_catch_up: With "all": how many. 100.
        retry: What to do after a failure. No retry by default.
        timeout: The longest an attempt may take.
        on_lost: "retry" (default) or "fail": what becomes of a run whose instance died.
        max_crashes: How many instances a run may take with it before it is a dead
            letter. 3.
        pause_after_failures: Pause the job after so many failures in a row; once it was
            resumed or edited, after as many again.
        starts_at: No occurrence before.
        ends_at: No occurrence after.
        max_runs: No more occurrences than this.
        jitter: Each occurrence is up to this much later, by a hash of job and time.
        spread: Every occurrence is this much later at most, by a hash of the job.
        stall_after: A run that says nothing for so long is stalled.
        tags: Words to find the job by.
        metadata: Anything of yours, as a JSON object.
    """

    overlap: Overlap | str
    max_running: int | None
    max_buffered: int
    misfire: Misfire | str
    misfire_grace: timedelta
    catch_up_window: timedelta
    max_catch_up: int
    retry: Retry
    timeout: timedelta | None
    on_lost: OnLost | str
    max_crashes: int
    pause_after_failures: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    max_runs: int | None
    jitter: timedelta
    spread: timedelta
    stall_after: timedelta | None
    tags: Sequence[str]
    metadata: Mapping[str, Any]


def _choice(kind: type[E]) -> Callable[[object, str], E]:
    def read(value: object, name: str) -> E:
        if isinstance(value, str) and value in set(kind):
            return kind(value)
        msg = f"{name} must be one of {[*map(str, kind)]}, not {value!r}"
        raise UsageError(msg)

    return read


def _span(least_us: int = 0) -> Callable[[Any, str], int]:
    def read(value: Any, name: str) -> int:  # noqa: ANN401  checked here
        return span_us(value, name=name, least_us=least_us)

    return read


def _moment(value: Any, name: str) -> int:  # noqa: ANN401  checked here
    try:
        return instant_from(value)
    except UsageError as error:
        msg = f"{name}: {error}"
        raise UsageError(msg) from None


def _retry(value: object, name: str) -> Retry:
    if isinstance(value, Retry):
        return value
    msg = f"{name} must be a Retry(...), not {value!r}"
    raise UsageError(msg)


def _count(value: Any, name: str) -> int:  # noqa: ANN401  checked here
    count_in_range(value, name=name, most=COUNT_LIMIT)
    return int(value)


# By a user's option: the policy it sets, how it is read, whether None is a value.
READERS: Final[Mapping[str, tuple[str, Callable[[Any, str], Any], bool]]] = {
    "overlap": ("overlap", _choice(Overlap), False),
    "max_running": ("running_max", _count, True),
    "max_buffered": ("buffer_max", _count, False),
    "misfire": ("misfire", _choice(Misfire), False),
    "misfire_grace": ("misfire_grace_us", _span(), False),
    "catch_up_window": ("catch_up_window_us", _span(), False),
    "max_catch_up": ("catch_up_max", _count, False),
    "retry": ("retry", _retry, False),
    "timeout": ("timeout_us", _span(MILLISECOND_US), True),
    "on_lost": ("on_lost", _choice(OnLost), False),
    "max_crashes": ("crashes_max", _count, False),
    "pause_after_failures": ("pause_after_failures", _count, True),
    "starts_at": ("starts_at", _moment, True),
    "ends_at": ("ends_at", _moment, True),
    "max_runs": ("runs_max", _count, True),
    "jitter": ("jitter_us", _span(), False),
    "spread": ("spread_us", _span(), False),
    "stall_after": ("stall_after_us", _span(MILLISECOND_US), True),
}


def policies_from(
    options: Mapping[str, Any], *, base: Policies = DEFAULT_POLICIES
) -> Policies:
    """Read the policies among a job's options.

    Args:
        options: What the user wrote.
        base: What holds for everything that was left out.

    Raises:
        UsageError: An option is unknown or its value is not allowed.
    """
    if not isinstance(options, Mapping):
        msg = f"options must be a mapping from policies to values, not {options!r:.80}"
        raise UsageError(msg)
    fields: dict[str, Any] = {}
    for name, value in options.items():
        if name in {"tags", "metadata"}:
            continue
        if name not in READERS:
            msg = f"unknown option {name!r}; known are {sorted([*READERS, 'tags', 'metadata'])}"
            raise UsageError(msg)
        field, read, may_be_none = READERS[name]
        is_unset = value is None and may_be_none
        fields[field] = None if is_unset else read(value, name)
    return replace(base, **fields) if fields else base


def payload_from(args: Iterable[Any], kwargs: Mapping[str, Any] | None) -> str:
    """Write arguments as canonical JSON.

    Raises:
        UsageError: They are not JSON.
    """
    if not isinstance(args, _LISTS) or isinstance(args, str | bytes):
        msg = f"args must be a list of arguments, not {args!r:.80}"
        raise UsageError(msg)
    listed = list(args)
    if not listed and not kwargs:
        return "{}"
    given: dict[str, Any] = {"args": listed} if listed else {}
    if kwargs:
        if not isinstance(kwargs, Mapping):
            msg = f"kwargs must be a mapping of arguments, not {kwargs!r:.80}"
            raise UsageError(msg)
        given["kwargs"] = dict(kwargs)
    return json_text(given, what="the arguments")


def json_text(value: object, *, what: str) -> str:
    """Write a value as canonical JSON.

    Raises:
        UsageError: It is not JSON: it could not be read back as it is.
    """
    try:
        text = _canonical(value)
        if not text.isascii():
            text.encode()  # half of a surrogate pair cannot be
        _refuse_other_keys(value)
    except (TypeError, ValueError, RecursionError) as error:
        msg = (
            f"{what} must be JSON (text, numbers, true, false, null, lists, objects "
            f"with text keys): {error}"
        )
        raise UsageError(msg) from error
    return text


def _refuse_other_keys(value: object) -> None:
    """Refuse keys that would come back as text: 1 as "1", None as "null"."""
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            msg = "a key of an object is not text"
            raise TypeError(msg)
        value = [*value.values()]
    if isinstance(value, list | tuple):
        for each in value:
            _refuse_other_keys(each)


def definition_from(  # noqa: PLR0913  what makes a job
    handler: str,
    schedule: Schedule,
    *,
    id: str,  # noqa: A002  the API's word
    name: str | None,
    payload: str,
    options: Mapping[str, Any],
    is_declared: bool,
) -> JobDefinition:
    """Make a job's definition.

    Raises:
        UsageError: Something about it is not allowed; the text says what and why.
    """
    if not isinstance(schedule, KINDS):
        msg = (
            f"when? expected Cron(...), Interval(...) or OneTime(...), not {schedule!r}"
        )
        raise UsageError(msg)
    return JobDefinition(
        id=id,
        name=id if name is None else name,
        handler=handler,
        schedule=schedule.spec(),
        payload=payload,
        policies=policies_from(options),
        declared=is_declared,
        **labels_from(options),
    )


def labels_from(options: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a job is found by among its options, as fields of its definition.

    Raises:
        UsageError: The tags or the metadata are not allowed.
    """
    labels: dict[str, Any] = {}
    if "tags" in options:
        labels["tags"] = _tags(options["tags"])
    if "metadata" in options:
        labels["metadata"] = metadata_text(options["metadata"])
    return labels


def metadata_text(metadata: object) -> str:
    """Write metadata as canonical JSON.

    Raises:
        UsageError: It is no JSON object, or too long.
    """
    if not isinstance(metadata, Mapping):
        msg = f"metadata must be a mapping, not {metadata!r:.80}"
        raise UsageError(msg)
    text = json_text(dict(metadata), what="metadata") if metadata else "{}"
    if len(text.encode()) > METADATA_BYTES_MAX:
        msg = f"metadata may take at most {METADATA_BYTES_MAX} bytes as JSON"
        raise UsageError(msg)
    return text


def _tags(tags: object) -> tuple[str, ...]:
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        msg = f"tags must be a list of words, not {tags!r:.80}"
        raise UsageError(msg)
    words = tuple(dict.fromkeys(checked_name(tag, what="a tag") for tag in tags))
    if len(words) > TAGS_MAX:
        msg = f"a job may have at most {TAGS_MAX} tags, not {len(words)}"
        raise UsageError(msg)
    return words


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job among many for `schedule_many`.

    Args:
        handler: A function, or the name of a registered handler.
        schedule: When.
        id: Its id.
        name: What people call it; the id without one.
        args: Arguments of the handler, as JSON.
        kwargs: Keyword arguments, as JSON.
        options: Policies, see `JobOptions`.
    """

    handler: Callable[..., Any] | str
    schedule: Schedule
    _: KW_ONLY
    id: str | None = None
    name: str | None = None
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] | None = None
    options: JobOptions = field(default_factory=JobOptions)
