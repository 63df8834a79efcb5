"""A job: what the user declared, and where its schedule stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from nvent_sched._model.policies import DEFAULT_POLICIES, Policies
from nvent_sched._model.values import quick
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from nvent_sched._model.instants import Instant

ID_LENGTH_MAX: Final = 200
PAYLOAD_BYTES_MAX: Final = 256 * 1024
EMPTY_PAYLOAD: Final = "{}"


def checked_name(text: str, *, what: str) -> str:
    """Return *text* if it can name something.

    Args:
        text: 1 to 200 printable characters, no blank at either end.
        what: What it names, for the message.

    Raises:
        UsageError: It cannot.
    """
    if not isinstance(text, str):
        msg = f"{what} must be text, not {type(text).__name__}"
        raise UsageError(msg)
    if not 1 <= len(text) <= ID_LENGTH_MAX:
        msg = (
            f"{what} must have 1 to {ID_LENGTH_MAX} characters, not {len(text)}: "
            f"{text[:40]!r}"
        )
        raise UsageError(msg)
    if not text.isprintable() or text != text.strip():
        msg = (
            f"{what} must be printable, without control characters and without a "
            f"blank at either end: {text[:40]!r}"
        )
        raise UsageError(msg)
    return text


def checked_payload(text: str, *, what: str) -> str:
    """Return *text* if a store takes so much.

    Args:
        text: JSON, of 256 KiB at most.
        what: Whose it is, for the message.

    Raises:
        UsageError: It is longer.
    """
    if len(text.encode()) > PAYLOAD_BYTES_MAX:
        msg = (
            f"{what} take {len(text.encode())} bytes as JSON; at most "
            f"{PAYLOAD_BYTES_MAX} are allowed: store them elsewhere and pass a reference"
        )
        raise UsageError(msg)
    return text


class JobStatus(StrEnum):
    """Whether a job produces occurrences."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class JobDefinition:
    """What the user declared. Two equal definitions are the same job.

    Attributes:
        schedule: Canonical JSON; `_rules.schedules.schedule_from` reads it.
        payload: Canonical JSON of `args` and `kwargs`, without what is empty.
        metadata: Canonical JSON of an object.
        declared: The code declares it (a decorator), so it is kept when finished:
            otherwise a restart would take an old one-time job for a new one.
    """

    id: str
    name: str
    handler: str
    schedule: str
    payload: str = EMPTY_PAYLOAD
    policies: Policies = DEFAULT_POLICIES
    tags: tuple[str, ...] = ()
    metadata: str = "{}"
    declared: bool = False

    def __post_init__(self) -> None:
        checked_name(self.id, what="a job's id")
        checked_name(self.name, what="a job's name")
        checked_name(self.handler, what="a handler's name")
        checked_payload(self.payload, what=f"the arguments of job {self.id!r}")


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A definition and where its schedule stands.

    Attributes:
        definition: What was declared.
        version: Grows by one with every write; a write names the version it saw.
        status: Whether it produces occurrences.
        note: Why it is paused, or that a wait was cancelled; empty otherwise.
        anchor: From when its schedule counts: creation, or the last change of it.
        considered_until: The high-water mark: no occurrence at or before it is ever
            planned (again).
        next_time: The next nominal occurrence, later than the mark; None for none.
        look_at: When the planner must look at the job; None for not by time.
        looks_on_finish: The planner must also look when a run of the job ends.
        planned: How many occurrences became runs, for `runs_max`.
        created_at: When the job was first stored.
        updated_at: When the definition or the status was last changed.
    """

    definition: JobDefinition
    version: int
    status: JobStatus = JobStatus.ACTIVE
    note: str = ""
    anchor: Instant
    considered_until: Instant
    next_time: Instant | None = None
    look_at: Instant | None = None
    looks_on_finish: bool = False
    planned: int = 0
    created_at: Instant
    updated_at: Instant

    def __post_init__(self) -> None:
        assert self.version >= 1
        assert self.next_time is None or self.next_time > self.considered_until

    @property
    def id(self) -> str:
        """The id of the definition."""
        return self.definition.id
