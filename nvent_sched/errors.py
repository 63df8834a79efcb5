"""Every exception that leaves the package, grouped by whose move is next.

`UsageError`: yours; nothing was changed, correct the call. `StoreError`: the store's;
`may_retry` says whether the same call can succeed later. `LostClaimError`: the race's;
another instance owns the run now. Imports nothing of us but how an error's text is
read, and does nothing.
"""

from __future__ import annotations

from typing import ClassVar, Final

from nvent_sched._tracebacks import error_line

TEXT_LENGTH_MAX: Final = 1_000
"""What was given is repeated, but not a hundred thousand characters of it."""
END_LENGTH: Final = 300


def _shortened(text: object) -> object:
    """Take the middle out of a long text: it begins with why, and ends with the cure."""
    if not isinstance(text, str) or len(text) <= TEXT_LENGTH_MAX:
        return text
    return f"{text[: TEXT_LENGTH_MAX - END_LENGTH]} ... {text[-END_LENGTH:]}"


class SchedError(Exception):
    """Base of every error that nvent_sched raises on purpose."""


class UsageError(SchedError, ValueError):
    """The call cannot be right as it stands; nothing was changed."""

    def __init__(self, *args: object) -> None:
        super().__init__(*map(_shortened, args))


class CronError(UsageError):
    """A cron expression was refused; the text names the field and the reason."""


class UnknownJobError(UsageError, LookupError):
    """No job has this id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"no job has the id {job_id!r}; `jobs()` lists the ids that exist"
        )
        self.job_id = job_id


class UnknownRunError(UsageError, LookupError):
    """No run has this id, or its record was pruned."""

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"no run has the id {run_id!r}; it never existed or its history was pruned"
        )
        self.run_id = run_id


class JobExistsError(UsageError):
    """A different job already has this id and `if_exists="error"` was asked for."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"a different job already has the id {job_id!r}; choose another id, or "
            'pass if_exists="update" to replace it or "keep" to leave it alone'
        )
        self.job_id = job_id


class UnknownTriggerError(UnknownJobError):
    """No trigger has this name."""

    def __init__(self, name: str) -> None:
        UsageError.__init__(
            self,
            f"no trigger has the name {name!r}; declare it with "
            f"scheduler.trigger({name!r}), `triggers()` lists those that exist",
        )
        self.name = name
        self.job_id: str = f"trigger:{name}"


class TriggerClosedError(UsageError):
    """The trigger is paused or retired, so it cannot be fired."""

    def __init__(self, name: str, *, state: str, note: str) -> None:
        cure = (
            f"resume_trigger({name!r}) lets it be fired again"
            if state == "paused"
            else f"unschedule('trigger:{name}') forgets it, so that it can be declared "
            "anew"
        )
        why = f" ({note})" if note else ""
        super().__init__(f"trigger {name!r} is {state}{why}; {cure}")
        self.name: str = name
        self.state: str = state
        self.note: str = note


class ConflictError(SchedError):
    """The record kept changing under the edit; read it again and decide again."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"job {job_id!r} kept changing while it was being edited; try again"
        )
        self.job_id = job_id


class NotRunningError(SchedError):
    """The scheduler has not been started, or has been stopped."""

    def __init__(self, verb: str) -> None:
        super().__init__(
            f"{verb}: the scheduler is not running; enter it (`async with scheduler:`, "
            "`with` a BlockingScheduler) or call its `start()` first"
        )
        self.verb = verb


class RunFailedError(SchedError):
    """`wait_for` was asked to raise and the run did not succeed."""

    def __init__(self, *, run_id: str, outcome: str, error: str | None) -> None:
        line = error_line(error)
        detail = "" if line is None else f": {line}"
        super().__init__(f"run {run_id} ended as {outcome}{detail}")
        self.run_id = run_id
        self.outcome = outcome
        self.error = error


class LostClaimError(SchedError):
    """Another instance owns this run now; our result was not written."""

    def __init__(self, *, run_id: str, fence: int) -> None:
        super().__init__(
            f"run {run_id}: our claim with fencing token {fence} is no longer valid"
        )
        self.run_id = run_id
        self.fence = fence


class AwaitCancelledError(SchedError):
    """The wait was cancelled before its time came; what follows it shall not happen."""

    def __init__(self, *, key: str, reason: str) -> None:
        super().__init__(
            f"the wait {key!r} was cancelled{f': {reason}' if reason else ''}"
        )
        self.key = key
        self.reason = reason


class DeadlineError(SchedError, TimeoutError):
    """The stored moment has come and the work was not finished."""

    def __init__(self, *, key: str, at: str) -> None:
        super().__init__(f"the deadline {key!r} was {at}; the work was not finished")
        self.key = key


class LockTimeoutError(SchedError, TimeoutError):
    """Somebody else had the lock for as long as we were ready to wait."""

    def __init__(self, *, name: str, holder: str) -> None:
        who = f"held by {holder}" if holder else "promised to others who asked before"
        super().__init__(
            f"lock {name!r} is {who}; wait longer (`wait=`), or do without it"
        )
        self.name = name
        self.holder = holder


class LockLostError(SchedError):
    """The lock is not ours any more; what was done under it may meet somebody else."""

    def __init__(self, *, name: str, fence: int, reason: str) -> None:
        super().__init__(f"lock {name!r} with fencing token {fence} is lost: {reason}")
        self.name = name
        self.fence = fence


class StoreError(SchedError):
    """The store could not do what was asked; the driver's error is the cause."""

    may_retry: ClassVar[bool] = False


class StoreBusyError(StoreError):
    """Somebody else held the store for longer than we wait. Try again."""

    may_retry = True


class StoreUnavailableError(StoreError):
    """The store cannot be reached or opened just now. Try again."""

    may_retry = True


class StoreFullError(StoreError):
    """There is no room left for the write; nothing was lost, nothing was written."""

    may_retry = True


class StoreReadOnlyError(StoreError):
    """The store may only be read by this user or on this medium."""


class StoreCorruptError(StoreError):
    """The stored bytes are damaged or are not ours."""


class SchemaError(StoreError):
    """The store was written by a newer release; this one does not touch it."""
