"""The Lua in files: one script a verb, put together from its parts and known by its digest.

The header of a script names the parts it uses and the keys it is given; the names become
local variables, so that no script knows a number of a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER: Final = files("nvent_sched.adapters.redis") / "scripts"
_FIELD: Final = re.compile(r"^-- (uses|keys) *(.*(?:\n--  +\S.*)*)$", re.MULTILINE)
BASE: Final = "_args"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script, ready to be sent.

    Attributes:
        name: Of the verb.
        text: Lua, with all the parts it uses.
        digest: What the server knows it by.
        keys: The names of the keys it is to be given, in order.
    """

    name: str
    text: str
    digest: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file: what its header says, and its body."""

    name: str
    uses: tuple[str, ...]
    keys: tuple[str, ...]
    text: str


@lru_cache(None)
def source(name: str) -> Source:
    """Read a file."""
    text = (_FOLDER / f"{name}.lua").read_text("utf-8")
    said = {field: words.replace("--", "") for field, words in _FIELD.findall(text)}
    return Source(
        name=name,
        uses=tuple(said["uses"].split()),
        keys=tuple(said["keys"].split()),
        text=text,
    )


@lru_cache(None)
def script(name: str) -> Script:
    """Put a script together."""
    parts = [source(part) for part in dict.fromkeys(_parts_of(name))]
    keys = tuple(dict.fromkeys(key for part in parts for key in part.keys))
    named = ", ".join(key.rstrip("*") for key in keys)
    given = ", ".join(f"KEYS[{place}]" for place in range(1, len(keys) + 1))
    first = f"local {named} = {given}\n" if keys else ""
    text = first + "\n".join(part.text for part in parts)
    digest = sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(name=name, text=text, digest=digest, keys=keys)


def _parts_of(name: str) -> Iterator[str]:
    """Name all that a script is made of, what is used before what uses it."""
    if name != BASE:
        yield BASE
    for part in source(name).uses:
        yield from _parts_of(part)
    yield name


def names() -> list[str]:
    """Name every file, parts too."""
    found = (entry.name for entry in _FOLDER.iterdir())
    return sorted(name.removesuffix(".lua") for name in found if name.endswith(".lua"))


def verbs() -> list[str]:
    """Name every script that can be sent."""
    return [name for name in names() if not name.startswith("_")]
