"""The user of a server that the README tells an administrator to make."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import redis

README: Final = Path(__file__).parents[3] / "README.md"
RULE: Final = re.compile(
    r"^ACL SETUSER nvent reset on >secret resetchannels (.*?)^```",
    re.MULTILINE | re.DOTALL,
)


def documented() -> list[str]:
    """Say what the README grants, each with its plus."""
    rule = RULE.search(README.read_text())
    assert rule is not None
    keys, channels, *grants = rule[1].split()
    assert (keys, channels) == ("~{nvent:scheduler}:*", "&{nvent:scheduler}:*")
    return grants


def allow(client: redis.Redis, *more: str) -> None:
    """Make the user "ada", for the prefix "app", with a few grants more."""
    head = ["reset", "on", ">secret", "resetchannels", "~{app}:*", "&{app}:*"]
    rule = (*head, *documented(), *more)
    driver: Any = client
    driver.execute_command("ACL", "SETUSER", "ada", *rule)
