"""What all tests share: both backends, and how hard hypothesis looks.

`NVENT_SCHED_PROFILE` chooses: `dev` (the default) is quick, `ci` looks harder and the
same way each time, `soak` looks for as long as it takes.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=200, deadline=None, derandomize=True, print_blob=True
)
settings.register_profile("soak", max_examples=20_000, deadline=None, print_blob=True)
PROFILE = os.environ.get("NVENT_SCHED_PROFILE", "dev")
settings.load_profile(PROFILE)

pytest.register_assert_rewrite("nvent_sched.testing.conformance")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run every async test on both."""
    backend: str = request.param
    return backend


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a soak, and the machine that shrinks what it found, take their time."""
    for item in items:
        if PROFILE == "soak":
            item.add_marker(pytest.mark.timeout(0))
        elif "TestSideBySide" in item.nodeid:
            item.add_marker(pytest.mark.timeout(600))
