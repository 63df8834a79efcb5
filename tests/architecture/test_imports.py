"""Importing the package costs only what everybody needs.

How long it takes is measured in `tests/bench`.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

PROGRAM: Final = "import sys, nvent_sched; print(*sys.modules)"

EXTRAS: Final = {
    *("IPython", "anywidget", "ipykernel", "ipywidgets"),
    *("hypothesis", "pytest", "redis", "rich"),
}


def modules_after_import() -> set[str]:
    ran = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True
    )
    return set(ran.stdout.split())


def test_importing_the_package_imports_no_extra() -> None:
    assert modules_after_import() & EXTRAS == set()
