"""What a job wants to happen when things do not go as planned. Values only. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from nvent_sched._model.instants import (
    MICROSECOND,
    MILLISECOND_US,
    SECOND_US,
    Instant,
    span_us,
)
from nvent_sched._model.spans import us_words
from nvent_sched.errors import UsageError


class Overlap(StrEnum):
    """What to do with an occurrence that is due while an earlier run is going."""

    SKIP = "skip"
    BUFFER_ONE = "buffer_one"
    BUFFER_ALL = "buffer_all"
    CANCEL_OTHER = "cancel_other"
    ALLOW_ALL = "allow_all"


class Misfire(StrEnum):
    """Which of the occurrences that are past their grace are still run."""

    LATEST = "latest"
    SKIP = "skip"
    EARLIEST = "earliest"
    ALL = "all"


class OnLost(StrEnum):
    """What becomes of a run whose instance died: at-least-once or at-most-once."""

    RETRY = "retry"
    FAIL = "fail"


ATTEMPTS_LIMIT: Final = 1_000
RETRY_DELAY_MAX: Final = timedelta(days=1)


def exception_name(kind: type[BaseException] | str) -> str:
    """Name an exception class the way a stored policy does: module and qualname."""
    if isinstance(kind, str):
        return kind
    if isinstance(kind, type) and issubclass(kind, BaseException):
        return f"{kind.__module__}.{kind.__qualname__}"
    msg = f"expected an exception class or its dotted name, not {kind!r}"
    raise UsageError(msg)


@dataclass(frozen=True, slots=True)
class Retry:
    """Try a failed run again.

    The wait before attempt *n* + 1 is `delay` x `backoff` ** (n - 1), at most
    `delay_max`, of which up to the share `jitter` is taken off by a hash of run and
    attempt, so that it is the same on every instance.

    Args:
        attempts: Tries in all, the first included. 1 to 1,000.
        delay: The wait after the first failure. At least 0.
        backoff: What each wait is multiplied by. At least 1.
        delay_max: The longest wait.
        jitter: The share of a wait that may be taken off. 0 to 1.
        on: Exception classes (or their dotted names) worth another try; empty for
            all. A subclass counts, and so does what an exception group holds. A
            time-out is `builtins.TimeoutError`.
        never_on: Classes that are final even if `on` names them.

    Raises:
        UsageError: A value is outside its range.
    """

    attempts: int = 1
    delay: timedelta = timedelta(seconds=1)
    backoff: float = 2.0
    delay_max: timedelta = RETRY_DELAY_MAX
    jitter: float = 0.0
    on: tuple[type[BaseException] | str, ...] = ()
    never_on: tuple[type[BaseException] | str, ...] = ()

    def __post_init__(self) -> None:
        count_in_range(self.attempts, name="attempts", most=ATTEMPTS_LIMIT)
        span_us(self.delay, name="delay")
        span_us(self.delay_max, name="delay_max")
        if not (_is_number(self.backoff) and 1 <= self.backoff <= 1_000):  # noqa: PLR2004  a sane ceiling
            msg = f"backoff must be between 1 and 1000, not {self.backoff!r}"
            raise UsageError(msg)
        if not (_is_number(self.jitter) and 0 <= self.jitter <= 1):
            msg = f"jitter must be a share between 0 and 1, not {self.jitter!r}"
            raise UsageError(msg)
        for name in ("on", "never_on"):
            kinds = getattr(self, name)
            listed = kinds if isinstance(kinds, tuple | list) else (kinds,)
            names = tuple(exception_name(kind) for kind in listed)
            object.__setattr__(self, name, names)

    @property
    def delay_us(self) -> int:
        """The first wait, in microseconds."""
        return self.delay // MICROSECOND

    @property
    def delay_us_max(self) -> int:
        """The longest wait, in microseconds."""
        return self.delay_max // MICROSECOND


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def count_in_range(value: int, *, name: str, least: int = 1, most: int) -> None:
    """Refuse what is not an int between *least* and *most*.

    Raises:
        UsageError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        msg = f"{name} must be an int, not {value!r}"
        raise UsageError(msg)
    if not least <= value <= most:
        msg = f"{name} must be between {least} and {most}, not {value}"
        raise UsageError(msg)


MISFIRE_GRACE_US: Final = 60 * SECOND_US
CATCH_UP_WINDOW_US: Final = 24 * 3600 * SECOND_US
CATCH_UP_MAX: Final = 100
BUFFER_MAX: Final = 100
CRASHES_MAX: Final = 3
COUNT_LIMIT: Final = 1_000_000_000
NO_RETRY: Final = Retry()
LEAST_US: Final = {
    "timeout_us": MILLISECOND_US,
    "stall_after_us": MILLISECOND_US,
    "misfire_grace_us": 0,
    "catch_up_window_us": 0,
    "jitter_us": 0,
    "spread_us": 0,
}
"""The shortest that each length of time may be, in microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """Everything about a job but what it calls and when.

    Lengths of time are microseconds. `running_max` of None means no limit of the job's
    own; it counts for `ALLOW_ALL` only, every other policy runs one at a time.
    """

    overlap: Overlap = Overlap.SKIP
    running_max: int | None = None
    buffer_max: int = BUFFER_MAX
    misfire: Misfire = Misfire.LATEST
    misfire_grace_us: int = MISFIRE_GRACE_US
    catch_up_window_us: int = CATCH_UP_WINDOW_US
    catch_up_max: int = CATCH_UP_MAX
    retry: Retry = field(default=NO_RETRY)
    timeout_us: int | None = None
    on_lost: OnLost = OnLost.RETRY
    crashes_max: int = CRASHES_MAX
    pause_after_failures: int | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    runs_max: int | None = None
    jitter_us: int = 0
    spread_us: int = 0
    stall_after_us: int | None = None

    def __post_init__(self) -> None:
        for name in ("buffer_max", "catch_up_max", "crashes_max"):
            count_in_range(getattr(self, name), name=name, most=COUNT_LIMIT)
        for name in ("running_max", "pause_after_failures", "runs_max"):
            if (value := getattr(self, name)) is not None:
                count_in_range(value, name=name, most=COUNT_LIMIT)
        for name, least_us in LEAST_US.items():
            if (length_us := getattr(self, name)) is not None and length_us < least_us:
                least = "a millisecond" if least_us else "0"
                msg = f"{name} must be at least {least}, not {us_words(length_us)}"
                raise UsageError(msg)
        if (
            self.starts_at is not None
            and self.ends_at is not None
            and self.ends_at < self.starts_at
        ):
            msg = "ends_at is before starts_at, so the job would never run"
            raise UsageError(msg)


DEFAULT_POLICIES: Final = Policies()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesSnapshot:
    """The policies of a job, by the words in which one writes them: `JobOptions`.

    Attributes:
        max_running: With "allow_all": how many runs may be going at once; None for any.
        starts_at: No occurrence before, in UTC.
        ends_at: No occurrence after, in UTC.
    """

    overlap: Overlap
    max_running: int | None
    max_buffered: int
    misfire: Misfire
    misfire_grace: timedelta
    catch_up_window: timedelta
    max_catch_up: int
    retry: Retry
    timeout: timedelta | None
    on_lost: OnLost
    max_crashes: int
    pause_after_failures: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    max_runs: int | None
    jitter: timedelta
    spread: timedelta
    stall_after: timedelta | None
