"""What every face meets in the tests: a pipe, whatever runs the tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back the width that test runners tell: output is as wide as it is."""
    monkeypatch.delenv("COLUMNS", raising=False)
