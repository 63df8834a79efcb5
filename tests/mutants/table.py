"""The guards of the package: what each says, what it looks like without, who defends it.

The table is in `guards/*.toml`, a file for each part of the package. A row names the text
of a guard, which must be in its file exactly once, what stands there when the guard is
taken out, and the tests of which at least one must then fail.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = Path(__file__).with_name("guards")
SUITE: Final = "tests/conformance/test_adapters.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A line that a promise rests on.

    Attributes:
        part: Of the package: "memory", "sqlite", "redis", "engine".
        name: What it guards against, as a sentence.
        path: Its file, seen from the package.
        source: Its text.
        instead: The text without it.
        tests: What pytest is given.
        only: Which of these tests, as pytest's `-k` is told.
    """

    part: str
    name: str
    path: str
    source: str
    instead: str
    tests: tuple[str, ...]
    only: str

    def without(self, text: str) -> str:
        """Take it out of the text of its file.

        Raises:
            ValueError: The text has it not exactly once.
        """
        found = text.count(self.source)
        if found != 1 or self.source == self.instead:
            msg = f"{self.part}: {self.name}: {found} times in {self.path}"
            raise ValueError(msg)
        return text.replace(self.source, self.instead)


def guards() -> Iterator[Guard]:
    """Read the table."""
    for path in sorted(FOLDER.glob("*.toml")):
        record: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        for row in record["guard"]:
            yield Guard(
                part=path.stem,
                name=row["name"],
                path=f"{record['folder']}/{row['file']}",
                source=row["source"],
                instead=row["instead"],
                tests=tuple(map(_place_of, row["tests"])),
                only=row.get("only", record["only"]),
            )


def _place_of(test: str) -> str:
    """Say where a test is: a class alone is one of the conformance suite."""
    return test if "/" in test else f"{SUITE}::{test}"
