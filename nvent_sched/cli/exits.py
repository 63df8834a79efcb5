"""What the command line says to whoever called it: an exit code, and why."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from nvent_sched._model.jobs import ID_LENGTH_MAX
from nvent_sched.errors import (
    ConflictError,
    NotRunningError,
    RunFailedError,
    SchedError,
    StoreError,
    UnknownJobError,
    UsageError,
)


class Exit(IntEnum):
    """How a command ended. A closed set; `--help` shows it."""

    DONE = 0
    NO = 1
    USAGE = 2
    STORE = 3
    INTERRUPTED = 130


MEANINGS: Final = {
    Exit.DONE: "done",
    Exit.NO: "the answer is no, or something is wrong: `verify` or `simulate` found "
    "something, `check` a broken invariant (`--strict`: a dangerous setting as well), the run that was waited for did not succeed, the expression never fires",
    Exit.USAGE: "the command cannot be right as it stands; nothing was changed",
    Exit.STORE: "the store cannot be opened, is busy or is damaged",
    Exit.INTERRUPTED: "interrupted",
}


def exit_of(error: BaseException) -> Exit:
    """Say which exit code an error has."""
    match error:
        case KeyboardInterrupt():
            return Exit.INTERRUPTED
        case UsageError():
            return Exit.USAGE
        case StoreError() | ConflictError() | NotRunningError():
            return Exit.STORE
        case RunFailedError() | TimeoutError():
            return Exit.NO
        case _:
            return Exit.NO


def words_of(error: BaseException) -> str:
    """Say an error to who writes commands, and no Python."""
    match error:
        case UnknownJobError():
            return (
                f"no job has the id {error.job_id[:ID_LENGTH_MAX]!r}; nvent-sched jobs "
                "lists the ids that exist"
            )
        case SchedError() | TimeoutError():
            return str(error)
        case _:
            return f"{type(error).__name__}: {error}; --debug shows where"


def cause_of(error: BaseException) -> BaseException:
    """Look into groups of errors for the one to tell: an interruption, else the first."""
    while isinstance(error, BaseExceptionGroup):
        inner = error.exceptions
        stops = (each for each in inner if not isinstance(each, Exception))
        error = next(stops, inner[0])
    return error
