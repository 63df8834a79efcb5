"""Storage technologies behind the port, and `open_adapter`, which finds one by URL."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from nvent_sched._port import Adapter

KNOWN = (
    "sqlite:///jobs.db, sqlite:///:memory:, file:jobs.db, memory:, "
    "redis://localhost:6379/0"
)
SECRET_MARKS = {*"@:?#%"}
"""Without one of these a text holds no password, so it may be repeated."""
REDIS_SCHEMES = {
    "redis",
    "rediss",
    "unix",
    *("redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"),
}


def open_adapter(url: str) -> Adapter:
    """Make the adapter that a URL names. No I/O yet.

    Args:
        url: For example `sqlite:///jobs.db` (relative to the working folder),
            `sqlite:////var/lib/app/jobs.db`, `file:jobs.db`, `sqlite:///:memory:`,
            `memory:`, `redis://localhost:6379/0`, `rediss://…`, `unix:///redis.sock`,
            `redis+sentinel://host,host/primary/0` or `redis+cluster://host,host`.

    Raises:
        UsageError: No adapter has this scheme, the URL is malformed, or the package
            that the adapter needs is not installed.
    """
    if not isinstance(url, str):
        # Not its text: it may be a URL with a password, as bytes.
        kind = type(url).__name__
        msg = f"a store is an adapter or a URL such as {KNOWN}, not {kind}"
        raise UsageError(msg)
    scheme = _scheme_of(url)
    if scheme == "memory":
        from nvent_sched.adapters.memory import MemoryAdapter  # noqa: PLC0415

        return MemoryAdapter()
    if scheme in {"sqlite", "file"}:
        from nvent_sched.adapters.sqlite import SqliteAdapter  # noqa: PLC0415

        return SqliteAdapter.from_url(url)
    if scheme in REDIS_SCHEMES:
        return _redis_adapter(url)
    if not scheme and not set(url) & SECRET_MARKS:
        msg = (
            f"{url[:200]!r} is no URL: write sqlite:///{url[:200] or 'jobs.db'} for a "
            f"file; known are {KNOWN}"
        )
        raise UsageError(msg)
    # The rest of the URL may hold a password, so only the scheme is repeated.
    msg = f"no store has the scheme {scheme!r}; known are {KNOWN}"
    raise UsageError(msg)


def _scheme_of(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        # The error's own text may repeat a part, and any part may be a password.
        msg = (
            "this is not a URL (a bracket in a password is written as %5B or %5D); "
            f"expected for example {KNOWN}"
        )
        raise UsageError(msg) from None


def _redis_adapter(url: str) -> Adapter:
    try:
        from nvent_sched.adapters.redis import RedisAdapter  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "redis":
            raise
        msg = "a Redis store needs one more package: pip install nvent_sched[redis]"
        raise UsageError(msg) from error
    return RedisAdapter.from_url(url)
