"""Where the server is and how it shall be reached: a value, and the URL it is read from.

Users and passwords are in no text that this module makes: not in `repr`, not in `url`,
not in an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from nvent_sched._model.instants import span_us
from nvent_sched.adapters.redis.keys import PREFIX, PREFIX_LENGTH_MAX
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from urllib.parse import SplitResult

PORT: Final = 6379
DIGITS_MAX: Final = 9
SENTINEL_PORT: Final = 26379
TIMEOUT: Final = timedelta(seconds=5)
SCHEMES: Final = (
    "redis",
    "rediss",
    "unix",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
)
FORMS: Final = (
    "redis://host:6379/0, rediss://host:6380/0, unix:///run/redis.sock?db=0, "
    "redis+sentinel://host:26379,host:26379/primary/0, "
    "redis+cluster://host:7000,host:7001"
)
WITHOUT_SECRETS: Final = "; the URL is not repeated here, since it may hold a password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where the server is and how it shall be reached.

    Attributes:
        scheme: One of `SCHEMES`.
        hosts: Names and ports; several only of sentinels and of a cluster.
        path: The socket's, for "unix".
        service: What the sentinels call the primary.
        db: The number of the database, at least 0.
        username: Of an ACL user.
        password: Of the user, or of the server.
        sentinel_username: Of an ACL user of the sentinels; they know no other users.
        sentinel_password: Of that user, or of the sentinels.
        prefix: What the keys begin with, in braces.
        timeout: How long to wait for a connection, and for an answer; positive.
        wait_replicas: How many replicas must have a claim before a handler starts that
            must not be started twice; at least 0.
        ca_certs: A file of certificates to believe, for TLS.
        certfile: A file with our own certificate, for TLS.
        keyfile: A file with the key to it.
    """

    scheme: str = "redis"
    hosts: tuple[tuple[str, int], ...] = (("localhost", PORT),)
    path: str = ""
    service: str = ""
    db: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)
    prefix: str = PREFIX
    timeout: timedelta = TIMEOUT
    wait_replicas: int = 0
    ca_certs: str | None = None
    certfile: str | None = None
    keyfile: str | None = None

    def __post_init__(self) -> None:
        """Check each part."""
        is_prefix = 1 <= len(self.prefix) <= PREFIX_LENGTH_MAX
        if not is_prefix or not self.prefix.isprintable() or set(self.prefix) & {*"{}"}:
            msg = (
                f"a prefix must have 1 to {PREFIX_LENGTH_MAX} printable characters and "
                f"no braces, not {self.prefix[:40]!r}"
            )
            raise UsageError(msg)
        span_us(self.timeout, name="timeout")
        if not self.timeout:
            msg = f"timeout must be longer than nothing, not {self.timeout}"
            raise UsageError(msg)
        if self.db and self.kind == "cluster":
            msg = "a cluster has no numbered databases: leave the number out"
            raise UsageError(msg)
        are_sentinels = self.kind == "sentinel"
        if (self.sentinel_username or self.sentinel_password) and not are_sentinels:
            msg = "only redis+sentinel:// has sentinels with a password of their own"
            raise UsageError(msg)

    @property
    def kind(self) -> str:
        """Say what it is: "server", "sentinel" or "cluster"."""
        return self.scheme.partition("+")[2] or "server"

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme.startswith("rediss")

    @property
    def timeout_s(self) -> float:
        """Say how long to wait, in seconds, for the driver."""
        return self.timeout / timedelta(seconds=1)

    @property
    def url(self) -> str:
        """Write it as a URL, without user, password and options but the prefix."""
        tail = "" if self.prefix == PREFIX else f"?prefix={self.prefix}"
        if self.scheme == "unix":
            mark = "&" if tail else "?"
            return f"unix://{self.path}{tail}" + (f"{mark}db={self.db}" * bool(self.db))
        hosts = ",".join(f"{_bracketed(host)}:{port}" for host, port in self.hosts)
        service = f"/{self.service}" if self.service else ""
        db = "" if self.kind == "cluster" else f"/{self.db}"
        return f"{self.scheme}://{hosts}{service}{db}{tail}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def location_from(url: str) -> Location:
    """Read a URL.

    Args:
        url: One of `FORMS`, with `user:password@` before the hosts, and the options
            `prefix`, `timeout` (seconds), `db`, `wait_replicas`, `ca_certs`,
            `certfile` and `keyfile`; with sentinels also `sentinel_username` and
            `sentinel_password`.

    Raises:
        UsageError: It is not such a URL.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    has_slashes = url.partition(":")[2].startswith("//")
    if parts.scheme not in SCHEMES or parts.fragment or not has_slashes:
        # A '#' in a password would end up here, with the rest of the URL. Without the
        # slashes, what is before the '@' would be taken for a path.
        msg = f"not the URL of a Redis store (write '#' as %23): expected {FORMS}"
        raise UsageError(msg + WITHOUT_SECRETS)
    if "@" in parts.path:
        msg = (
            "user and password stand right after the two slashes, and their own '/' is "
            "written as %2F; an '@' in a path as %40"
        )
        raise UsageError(msg + WITHOUT_SECRETS)
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    location = Location(
        scheme=parts.scheme,
        username=unquote(username) or None,
        password=unquote(password) or None,
    )
    return _with_options(_with_place(location, parts, hosts=hosts), query=parts.query)


def _with_place(location: Location, parts: SplitResult, *, hosts: str) -> Location:
    if location.scheme == "unix":
        if hosts or not parts.path.strip("/"):
            msg = "a socket needs three slashes: unix:///run/redis.sock"
            raise UsageError(msg)
        return replace(location, path=unquote(parts.path))
    port = SENTINEL_PORT if location.kind == "sentinel" else PORT
    found = tuple(_hosts_from(hosts, port=port))
    if location.kind == "server" and len(found) > 1:
        msg = "several hosts need redis+sentinel:// or redis+cluster://"
        raise UsageError(msg)
    path = [unquote(part) for part in parts.path.split("/") if part]
    service = ""
    if location.kind == "sentinel":
        if not path:
            msg = "sentinels need the primary's name: redis+sentinel://host/name/0"
            raise UsageError(msg)
        service = path.pop(0)
    db = _number_from(path.pop(0)) if path else 0
    if path or db is None:
        msg = f"what follows the hosts must be the number of a database: {FORMS}"
        raise UsageError(msg + WITHOUT_SECRETS)
    return replace(location, hosts=found, service=service, db=db)


def _hosts_from(text: str, *, port: int) -> Iterator[tuple[str, int]]:
    for each in text.split(","):
        try:
            parts = urlsplit(f"//{each}")
            yield unquote(parts.hostname or "localhost"), parts.port or port
        except ValueError:
            msg = "a host is a name and a port: localhost:6379"
            raise UsageError(msg + WITHOUT_SECRETS) from None


def _number_from(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX
    return int(text) if is_number else None


def _span_from(text: str) -> timedelta | None:
    try:
        return timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        return None


_OPTIONS: Final[dict[str, Callable[[str], Any]]] = {
    "prefix": str,
    "sentinel_username": str,
    "sentinel_password": str,
    "timeout": _span_from,
    "db": _number_from,
    "wait_replicas": _number_from,
    "ca_certs": str,
    "certfile": str,
    "keyfile": str,
}


def _with_options(location: Location, *, query: str) -> Location:
    # A plus is a plus, as in the password before the hosts.
    pairs = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)
    for name, text in pairs:
        value = _OPTIONS[name](text) if name in _OPTIONS else None
        if value is None:
            allowed = ", ".join(_OPTIONS)
            # A '?' in a password would end up here, with or without the '@' that
            # follows it; so would what follows a '&' in the sentinels' password.
            given = repr(name) if name in _OPTIONS else "such an option"
            msg = (
                f"a Redis store's URL cannot have {given} like this; allowed are "
                f"{allowed}: numbers for db, wait_replicas and timeout (seconds)"
            )
            raise UsageError(msg + WITHOUT_SECRETS)
        location = replace(location, **{name: value})
    return location
