"""An adapter and the reference, driven side by side: every answer agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from nvent_sched.testing.conformance.machine import AdapterMachine

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._port import Adapter

STEPS: Final = 40
EXAMPLES_SHARE: Final = 5  # an example takes longer than most


def run_machine(new_adapter: Callable[[], Adapter], *, backend: str) -> None:
    """Drive a new adapter and the reference side by side, time and again.

    Args:
        new_adapter: Makes an adapter on an empty store; not opened yet.
        backend: "asyncio" or "trio".
    """
    members = {"new_adapter": staticmethod(new_adapter), "backend": backend}
    machine = type("Machine", (AdapterMachine,), members)
    examples = max(1, settings().max_examples // EXAMPLES_SHARE)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=STEPS, deadline=None
        ),
    )


class TestSideBySide:
    """An adapter and the reference give the same answers."""

    def test_random_verbs_are_answered_alike(
        self, new_adapter: Callable[[], Adapter], anyio_backend_name: str
    ) -> None:
        run_machine(new_adapter, backend=anyio_backend_name)
