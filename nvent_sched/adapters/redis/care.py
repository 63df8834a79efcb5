"""How the server is set up, and what of it endangers what is stored. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.instants import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OLDEST: Final = {"redis": (6, 2), "valkey": (7, 2)}
SKEW_US_MAX: Final = 2 * SECOND_US
NO_EVICTION: Final = "noeviction"


def settings_of(info: Mapping[str, Any], config: Mapping[str, str]) -> dict[str, str]:
    """Say how a server is set up.

    Args:
        info: What it answers to INFO.
        config: What it answers to CONFIG GET; nothing if it will not say.
    """
    kind, version = _version_of(info)
    settings = {
        "server": f"{kind} {version}",
        "role": str(info.get("role", "unknown")),
        "replicas": str(info.get("connected_slaves", 0)),
        "maxmemory": str(info.get("maxmemory", 0)),
        "maxmemory-policy": str(info.get("maxmemory_policy", "unknown")),
        "appendonly": "yes" if int(info.get("aof_enabled", 0)) else "no",
        "bytes": str(info.get("used_memory", 0)),
    }
    return settings | {
        name: config[name] for name in ("appendfsync", "save") & config.keys()
    }


def _version_of(info: Mapping[str, Any]) -> tuple[str, str]:
    if "valkey_version" in info:
        return "valkey", str(info["valkey_version"])
    return "redis", str(info.get("redis_version", "0"))


def too_old(info: Mapping[str, Any]) -> str | None:
    """Say why a server cannot be used; None if it can."""
    kind, version = _version_of(info)
    found = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if found >= OLDEST[kind]:
        return None
    return f"{kind} {version} is too old: Redis 6.2 or Valkey 7.2 at least"


def dangers_of(info: Mapping[str, Any], settings: Mapping[str, str]) -> Iterator[str]:
    """Name the settings that endanger what is stored."""
    if int(settings["maxmemory"]) and settings["maxmemory-policy"] != NO_EVICTION:
        yield (
            f"maxmemory-policy={settings['maxmemory-policy']}: the server may throw jobs "
            f"away to make room; set it to {NO_EVICTION}"
        )
    if settings["appendonly"] == "no":
        yield (
            "appendonly=no: when the server crashes, what was stored since its last "
            "snapshot is lost, so an occurrence may run twice or a job be forgotten"
        )
    elif settings.get("appendfsync") == "no":
        yield (
            "appendfsync=no: when the machine crashes, what was stored in the last half "
            "minute or so is lost; set it to everysec or always"
        )
    if settings["role"] == "slave":
        yield "it is a replica and takes no writes: name the primary in the URL"
    if int(settings["replicas"]):
        yield (
            "replication is asynchronous: a failover may lose the last writes, so an "
            "occurrence may run twice"
        )
    for name in ("rdb_last_bgsave_status", "aof_last_write_status"):
        if info.get(name, "ok") != "ok":
            yield f"{name}={info[name]}: the server cannot write to its disk"


def skew_dangers(*, here: int, there: int) -> Iterator[str]:
    """Say that two clocks differ by more than an answer takes to come."""
    if abs(there - here) > SKEW_US_MAX:
        yield (
            "this machine's clock differs from the server's by "
            f"{(here - there) / SECOND_US:+.0f} s: the server's decides what is due, so "
            "what is scheduled for a time of day seems early or late here"
        )
