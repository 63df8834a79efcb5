"""Where the file is and how it shall be opened: a value, and the URL it is read from.

Nothing here touches a file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal, TypeGuard, get_args
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from nvent_sched._model.instants import MILLISECOND_US, span_us
from nvent_sched.errors import UsageError

MEMORY: Final = ":memory:"
BUSY_TIMEOUT: Final = timedelta(seconds=10)
POLL: Final = timedelta(milliseconds=500)
POLL_US_MIN: Final = 10 * MILLISECOND_US
SPANS: Final = ("busy_timeout", "poll")

Synchronous = Literal["FULL", "NORMAL", "OFF"]
Mode = Literal["rwc", "rw", "ro"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where the file is and how it shall be opened.

    Attributes:
        path: Of the file; ":memory:" for none.
        synchronous: How sure a commit is; "FULL" survives a loss of power.
        busy_timeout: How long to wait for other processes, at least 0.
        poll: How often to look for what other processes did, at least 10 ms.
        mode: "rwc" creates the file if it is missing, "rw" does not, "ro" only reads.
    """

    path: str
    synchronous: Synchronous = "FULL"
    busy_timeout: timedelta = BUSY_TIMEOUT
    poll: timedelta = POLL
    mode: Mode = "rwc"

    def __post_init__(self) -> None:
        """Check each part."""
        if not self.path or "\0" in self.path:
            msg = f"a SQLite store needs the path of a file, not {self.path!r}"
            raise UsageError(msg)
        if not _is_synchronous(self.synchronous):
            allowed = ", ".join(get_args(Synchronous))
            msg = f"synchronous must be one of {allowed}, not {self.synchronous!r}"
            raise UsageError(msg)
        if not _is_mode(self.mode):
            allowed = ", ".join(get_args(Mode))
            msg = f"mode must be one of {allowed}, not {self.mode!r}"
            raise UsageError(msg)
        span_us(self.busy_timeout, name="busy_timeout")
        span_us(self.poll, name="poll", least_us=POLL_US_MIN)

    @property
    def is_memory(self) -> bool:
        """Whether it is no file at all."""
        return self.path == MEMORY

    @property
    def url(self) -> str:
        """Write it as a URL, without the options."""
        return f"sqlite:///{self.path}"

    @property
    def driver_uri(self) -> str:
        """Write it the way SQLite reads it."""
        mode = "memory" if self.is_memory else self.mode
        return f"file:{quote(self.path)}?mode={mode}"

    @property
    def here(self) -> Location:
        """Fix it to the working folder of now."""
        if self.is_memory:
            return self
        return replace(self, path=str(Path(self.path).absolute()))

    @property
    def busy_timeout_s(self) -> float:
        """Say how long to wait for other processes, in seconds, for the driver."""
        return self.busy_timeout / timedelta(seconds=1)

    @property
    def instances(self) -> Path | None:
        """Say where the instances' locks are; None if no other process can see them."""
        is_written = self.mode != "ro" and not self.is_memory
        return Path(f"{self.path}.instances") if is_written else None


def _is_synchronous(text: object) -> TypeGuard[Synchronous]:
    return text in get_args(Synchronous)


def _is_mode(text: object) -> TypeGuard[Mode]:
    return text in get_args(Mode)


def location_from(url: str) -> Location:
    """Read a URL.

    Args:
        url: `sqlite:///rel.db`, `sqlite:////abs.db`, `sqlite:///:memory:`, `sqlite://`
            (memory), `file:rel.db`, `file:///abs.db`; with the options `synchronous`,
            `busy_timeout` and `poll` (seconds) and `mode`.

    Raises:
        UsageError: It is not such a URL.
    """
    parts = urlsplit(url)
    # What stands where a host would may hold a password: it is never repeated.
    if parts.netloc:
        msg = (
            "a SQLite store's URL names no host: a file needs three slashes "
            "(sqlite:///jobs.db), an absolute one four (sqlite:////srv/jobs.db)"
        )
        raise UsageError(msg)
    path = unquote(parts.path)
    if parts.scheme == "sqlite":
        # Nothing at all is memory; a slash is a file whose name was left out.
        path = path.removeprefix("/") if path else MEMORY
    if parts.fragment:
        msg = f"{url!r}: write a '#' that belongs to the path as %23"
        raise UsageError(msg)
    if not path:
        msg = (
            f"{url.partition('?')[0]!r} names no file; for example sqlite:///jobs.db "
            "or file:jobs.db; what shall be kept in no file is memory: or "
            "sqlite:///:memory:"
        )
        raise UsageError(msg)
    return _with_options(Location(path=path), query=parts.query)


def _with_options(location: Location, *, query: str) -> Location:
    for name, text in parse_qsl(query, keep_blank_values=True):
        upper = text.upper()
        if name == "synchronous" and _is_synchronous(upper):
            location = replace(location, synchronous=upper)
        elif name == "mode" and _is_mode(text):
            location = replace(location, mode=text)
        elif name in SPANS and (span := _seconds_from(text)) is not None:
            given_span: Any = {name: span}
            location = replace(location, **given_span)
        else:
            # What is no option of ours may be a key, or a password.
            is_known = name in {"synchronous", "mode", *SPANS}
            given = f"{name}={text}" if is_known else name
            msg = (
                f"a SQLite store's URL has no option {given}; allowed are "
                f"synchronous={'|'.join(get_args(Synchronous))}, "
                f"busy_timeout=SECONDS, poll=SECONDS, mode={'|'.join(get_args(Mode))}"
            )
            raise UsageError(msg)
    return location


def _seconds_from(text: str) -> timedelta | None:
    try:
        span = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        return None
    return span if span >= timedelta() else None
