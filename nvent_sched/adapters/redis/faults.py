"""From the driver's errors to ours: what happened, at which server, and what to do."""

from __future__ import annotations

from typing import Any, Final

from redis import exceptions

from nvent_sched.errors import (
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
)

UNREACHABLE: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    OSError,
)
REFUSED: Final = (exceptions.AuthenticationError, exceptions.AuthorizationError)
BY_SENTINEL: Final = ("MasterNotFoundError", "AuthenticationError")
"""What the driver says if a sentinel refuses us and no other one names a primary."""

OF_SCRIPTS: Final = {
    "-OOM ": exceptions.OutOfMemoryError,
    "-READONLY ": exceptions.ReadOnlyError,
}
"""What Redis 6.2 wraps in words about the script, so that the driver has no name for it."""

# The driver's name for it, or what is in the server's answer.
KINDS: Final[tuple[tuple[str, type[StoreError], str], ...]] = (
    (
        "OutOfMemoryError",
        StoreFullError,
        (
            "its memory limit is reached, and nothing of this write was stored: raise "
            "maxmemory, or shorten what is kept of runs"
        ),
    ),
    (
        "MISCONF",
        StoreUnavailableError,
        "it cannot write to its disk, and takes no writes: see its log",
    ),
    (
        "ReadOnlyError",
        StoreReadOnlyError,
        "it is a replica: name the primary in the URL",
    ),
    ("NOREPLICAS", StoreUnavailableError, "too few replicas follow it just now"),
    (
        "MasterNotFoundError",
        StoreUnavailableError,
        "no sentinel names a primary just now; check its name, and that they are running",
    ),
    ("MasterDownError", StoreUnavailableError, "it has lost its primary"),
    ("ClusterDownError", StoreUnavailableError, "its cluster is down"),
    ("TryAgainError", StoreUnavailableError, "its cluster is being moved"),
    (
        "BusyLoadingError",
        StoreUnavailableError,
        "it is still loading what it had stored",
    ),
    ("BUSY ", StoreBusyError, "a script of somebody else has been running for long"),
    (
        "NoPermissionError",
        StoreError,
        "the user may not do this: grant what the documentation lists for nvent_sched",
    ),
    ("WRONGPASS", StoreError, "the user or the password is wrong"),
    ("NOAUTH", StoreError, "it asks for a password, and the URL has none"),
    (
        "WRONGTYPE",
        StoreCorruptError,
        "a key of ours holds something else: choose another prefix",
    ),
    (
        "unknown command",
        StoreError,
        "it does not know a command that is needed: Redis 6.2 or Valkey 7.2 at least",
    ),
)


def named(reply: Any) -> Any:  # noqa: ANN401  whatever the server answered
    """Give an error of a script the driver's name for it, whatever the server's age."""
    if isinstance(reply, exceptions.ResponseError):
        for sign, kind in OF_SCRIPTS.items():
            if sign in str(reply) and not isinstance(reply, kind):
                return kind(str(reply))
    return reply


def fault_of(error: Exception, *, url: str) -> StoreError:
    """Turn an error of the driver into one of ours; the cause is kept.

    Args:
        error: The driver's.
        url: Where the server is, without any secret.
    """
    fault = _fault_of(error, url=url)
    fault.__cause__ = error
    return fault


def _fault_of(error: Exception, *, url: str) -> StoreError:
    text = _text_of(error)
    if _is_by_sentinel(error):
        advice = (
            "a sentinel refuses us: it asks for a user or a password of its own, "
            "sentinel_password in the URL"
        )
        return StoreError(f"{url}: {_short(error)}: {advice}")
    for sign, kind, advice in KINDS:
        if sign in text:
            return kind(f"{url}: {_short(error)}: {advice}")
    if isinstance(error, REFUSED):
        return StoreError(f"{url}: {_short(error)}: check the user and the password")
    if isinstance(error, UNREACHABLE):
        advice = "the server cannot be reached just now; check that it is running"
        if url.startswith("rediss"):
            advice += ", that this port speaks TLS, and who signed its certificate"
        return StoreUnavailableError(f"{url}: {_short(error)}: {advice}")
    return StoreError(f"{url}: {_short(error)} ({type(error).__name__})")


def is_refused(error: Exception) -> bool:
    """Say whether asking again is of no use: who we are will not change."""
    return isinstance(error, REFUSED) or _is_by_sentinel(error)


def _is_by_sentinel(error: Exception) -> bool:
    text = _text_of(error)
    return all(sign in text for sign in BY_SENTINEL)


def _text_of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _short(error: Exception) -> str:
    """Say the first line of an error, without the scripts and objects in its text."""
    return str(error).partition("\n")[0].partition(" : <")[0][:300]
