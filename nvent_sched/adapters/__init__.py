"""Storage technologies behind the port, and `open_adapter`, which finds one by URL."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from nvent_sched._port import Adapter

KNOWN = "sqlite:///jobs.db, sqlite:///:memory:, file:jobs.db, memory:"


def open_adapter(url: str) -> Adapter:
    """Make the adapter that a URL names. No I/O yet.

    Args:
        url: For example `sqlite:///jobs.db` (relative to the working folder),
            `sqlite:////var/lib/app/jobs.db`, `file:jobs.db`, `sqlite:///:memory:` or
            `memory:`.

    Raises:
        UsageError: No adapter has this scheme, or the URL is malformed.
    """
    if not isinstance(url, str):
        msg = f"a store is named by a URL such as {KNOWN}; not by {url!r}"
        raise UsageError(msg)
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        from nvent_sched.adapters.memory import MemoryAdapter  # noqa: PLC0415

        return MemoryAdapter()
    if scheme in {"sqlite", "file"}:
        from nvent_sched.adapters.sqlite import SqliteAdapter  # noqa: PLC0415

        return SqliteAdapter.from_url(url)
    # The rest of the URL may hold a password, so only the scheme is repeated.
    msg = f"no store has the scheme {scheme!r}; known are {KNOWN}"
    raise UsageError(msg)
