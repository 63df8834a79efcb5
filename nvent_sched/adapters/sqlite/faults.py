"""From the driver's errors to ours: what happened, to which file, and what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvent_sched.errors import (
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    import sqlite3

KINDS: Final[tuple[tuple[tuple[str, ...], type[StoreError], str], ...]] = (
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
        StoreBusyError,
        (
            "another process held it for longer than the busy timeout; try again, or "
            "find who keeps a transaction open"
        ),
    ),
    (
        ("SQLITE_FULL",),
        StoreFullError,
        "there is no room left; nothing of this write was stored: free some space",
    ),
    (
        ("SQLITE_READONLY",),
        StoreReadOnlyError,
        "it may only be read; check the permissions of the file and of its folder",
    ),
    (
        ("SQLITE_CORRUPT", "SQLITE_NOTADB"),
        StoreCorruptError,
        (
            "it is damaged or not a database; restore a backup, or move it away and "
            "start anew: it was left as it is"
        ),
    ),
    (
        ("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM", "SQLITE_AUTH"),
        StoreUnavailableError,
        (
            "it cannot be opened, read or written; check that it is a file, and that its "
            "folder exists, may be written to and has room"
        ),
    ),
)


def fault_of(error: sqlite3.Error, *, path: str) -> StoreError:
    """Turn an error of the driver into one of ours; the caller keeps the cause."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_CANTOPEN") and _is_read_only(
        folder := Path(path).parent
    ):
        advice = (
            f"its folder {folder} is read-only, by its permissions or as all of its file "
            "system, and SQLite writes beside the file: move it to where it may"
        )
        return StoreReadOnlyError(f"{path}: {error} ({name}): {advice}")
    for names, kind, advice in KINDS:
        if name.startswith(names):
            return kind(f"{path}: {error} ({name}): {advice}")
    return StoreError(f"{path}: {error} ({name or type(error).__name__})")


def _is_read_only(folder: Path) -> bool:
    by_us = os.access in os.supports_effective_ids
    return folder.is_dir() and not os.access(folder, os.W_OK, effective_ids=by_us)
