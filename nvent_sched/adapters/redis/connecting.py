"""Connections of the driver: to a server, to who the sentinels name, to a cluster's node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import redis.cluster
import redis.sentinel
from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.credentials import UsernamePasswordCredentialProvider
from redis.retry import Retry

if TYPE_CHECKING:
    from nvent_sched.adapters.redis.location import Location

# Parts of the driver say nothing of their types.
_driver: Final[Any] = redis
CLIENT_NAME: Final = "nvent_sched"


def connect(location: Location, *, slot_key: str) -> Redis:
    """Make a client of the server that keeps this key. Connects only if it must look.

    Args:
        location: Where.
        slot_key: Any of our keys: all lie in one slot.
    """
    options = _options(location)
    if location.kind == "sentinel":
        sentinels = _driver.sentinel.Sentinel(
            list(location.hosts),
            sentinel_kwargs=_sentinel_options(location, options),
            **options,
        )
        primary: Redis = sentinels.master_for(location.service, db=location.db)
        return primary
    if location.kind == "cluster":
        nodes = [
            _driver.cluster.ClusterNode(host, port) for host, port in location.hosts
        ]
        cluster = _cluster(nodes, options)
        try:
            node = cluster.get_node_from_key(slot_key)
            assert node is not None
            host, port = node.host, node.port
        finally:
            cluster.close()
        return Redis(host=host, port=port, **options)
    if location.scheme == "unix":
        return Redis(unix_socket_path=location.path, db=location.db, **options)
    ((host, port),) = location.hosts
    return Redis(host=host, port=port, db=location.db, **options)


# With the driver's own retries a sentinel that is gone costs four seconds each time.
_OF_SENTINELS: Final = (
    *("socket_timeout", "socket_connect_timeout", "retry"),
    *("ssl", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"),
)


def _sentinel_options(location: Location, options: dict[str, Any]) -> dict[str, Any]:
    own: dict[str, Any] = {
        name: options[name] for name in _OF_SENTINELS if name in options
    }
    user, password = location.sentinel_username, location.sentinel_password
    if user or password:
        # As a plain option it would be in the text of some of the driver's errors.
        own["credential_provider"] = UsernamePasswordCredentialProvider(user, password)
    return own


def _cluster(nodes: list[Any], options: dict[str, Any]) -> Any:  # noqa: ANN401  the driver's types
    """Ask the nodes of a cluster who keeps what.

    Raises:
        RedisError: Why the last of them did not say; a connection's error if they said
            too little.
    """
    try:
        return _driver.cluster.RedisCluster(startup_nodes=nodes, **options)
    except exceptions.RedisClusterException as error:
        # It is no error of the driver's tree, and hides one that is.
        if (hidden := _hidden_by(error)) is not None:
            raise hidden from None
        raise exceptions.ConnectionError(str(error)) from error


def _hidden_by(error: BaseException) -> Exception | None:
    """Say what came before it, of the driver's tree; None if nothing did."""
    before = error.__cause__ or error.__context__
    if before is None or isinstance(before, exceptions.RedisError | OSError):
        return before
    return _hidden_by(before)


def _options(location: Location) -> dict[str, Any]:
    options: dict[str, Any] = {
        "username": location.username,
        "password": location.password,
        "socket_timeout": location.timeout_s,
        "socket_connect_timeout": location.timeout_s,
        "socket_keepalive": True,
        "decode_responses": True,
        # What somebody else wrote under our keys must not end the connection.
        "encoding_errors": "backslashreplace",
        # Who repeats a call must tell the store that it does: we do it ourselves.
        "retry": Retry(NoBackoff(), 0),
        "client_name": CLIENT_NAME,
    }
    if location.is_tls:
        options |= {
            "ssl": True,
            "ssl_ca_certs": location.ca_certs,
            "ssl_certfile": location.certfile,
            "ssl_keyfile": location.keyfile,
        }
    return options
