"""What a job stands for, told by its id: patterns keep what they wait for as jobs. Pure.

An await, a watchdog and a trigger are jobs like any other to the store and the engine, with
an id that no user can give. So they survive, are claimed, recorded and pruned as jobs are,
and are found by their prefix, as jobs are read in the order of their ids.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from nvent_sched._model.jobs import checked_name
from nvent_sched.errors import UsageError


class Role(StrEnum):
    """What a job stands for. A closed set; the value is the prefix of its id."""

    JOB = ""
    AWAIT = "await:"
    DEADLINE = "deadline:"
    WATCHDOG = "watchdog:"
    TRIGGER = "trigger:"
    SUBSCRIPTION = "on:"


BUILT_IN: Final = "nvent."
"""What the names of our own handlers begin with."""

PATTERNS: Final = tuple(role for role in Role if role is not Role.JOB)
_PREFIXES: Final = tuple(role.value for role in PATTERNS)


WAITS: Final = frozenset({Role.AWAIT, Role.DEADLINE, Role.WATCHDOG})
"""Those that nobody means who asks for jobs: there may be very many, each for one wait."""

_LAST: Final = "\U0010ffff"
"""Not printable, so in no id, and after all that is."""


def role_of(job_id: str) -> Role:
    """Say what the job with this id stands for."""
    if not job_id.startswith(_PREFIXES):
        return Role.JOB
    return next(role for role in PATTERNS if job_id.startswith(role))


def id_of(role: Role, name: str) -> str:
    """Say which job keeps a pattern's *name*.

    Raises:
        UsageError: *name* cannot name anything, or is too long with its prefix.
    """
    checked_name(name, what=f"the name of what is kept as {role.value}...")
    return checked_name(f"{role}{name}", what=f"{name!r} with the prefix {role.value}")


def name_in(job_id: str) -> str:
    """Say what a pattern calls what is kept in the job with this id."""
    return job_id.removeprefix(role_of(job_id))


def is_wait(job_id: str) -> bool:
    """Whether the job with this id stands for a wait."""
    return role_of(job_id) in WAITS


def past_waits(job_id: str) -> str:
    """Say after which id to read on, if waits are not wanted.

    Returns:
        *job_id* itself, or what comes after all waits like it.
    """
    return f"{role_of(job_id)}{_LAST}" if is_wait(job_id) else job_id


def checked_job_id(job_id: str) -> str:
    """Return an id that a user may give a job.

    Raises:
        UsageError: It can name nothing, or would stand for something else.
    """
    checked_name(job_id, what="a job's id")
    if (role := role_of(job_id)) is not Role.JOB:
        msg = (
            f"a job's id cannot begin with {role.value!r}, as {job_id[:40]!r} does: "
            "that is how the scheduler keeps awaits, watchdogs and triggers"
        )
        raise UsageError(msg)
    return job_id
