"""Measure one subject, in the process that was started for it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def measure_one(subjects: Mapping[str, Callable[[int, str], dict[str, float]]]) -> None:
    """Do what the command line says, `SUBJECT N FILE`, and print one JSON object."""
    name, count, file = sys.argv[1:]
    for left in ("", "-wal", "-shm"):
        Path(f"{file}{left}").unlink(missing_ok=True)
    try:
        measured: dict[str, Any] = subjects[name](int(count), file)
    except ImportError as error:
        measured = {"missing": str(error)}
    sys.stdout.write(json.dumps({"subject": name, "count": int(count), **measured}))
