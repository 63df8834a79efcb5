"""`nvent-sched simulate`: what CI runs, anybody can run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nvent_sched.cli import main
from nvent_sched.testing.simulator.scenarios import SCENARIOS, simulate_scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(anyio_backend: str, capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["simulate", "--backend", anyio_backend, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_many_seeds_are_simulated_and_counted(ask: Ask) -> None:
    code, out, _ = ask("--seeds", "7", "--processes", "1")

    assert code == 0
    assert "every promise was kept: 7 seeds simulated" in out


def test_one_seed_shows_what_the_store_was_asked(ask: Ask) -> None:
    code, out, _ = ask("--seed", "3", "--log")

    assert code == 0
    assert "commit_plans" in out
    assert "1 seed simulated" in out


def test_a_time_that_is_over_begins_no_more(ask: Ask) -> None:
    code, out, _ = ask("--seconds", "0", "--json")

    assert code == 0
    assert json.loads(out) == {"seeds": 0, "occurrences": 0, "ok": True, "failed": []}


def test_a_scenario_is_run_by_its_name(ask: Ask) -> None:
    code, out, _ = ask("--scenario", "f2-paused-past-its-lease")

    assert code == 0
    assert "✓ f2-paused-past-its-lease" in out


def test_the_scenarios_are_listed_with_what_fails_elsewhere(ask: Ask) -> None:
    code, out, _ = ask("--scenario", "list")

    assert code == 0
    assert all(name in out for name in SCENARIOS)


def test_a_scenario_that_does_not_exist_is_refused(ask: Ask) -> None:
    code, _, err = ask("--scenario", "nope")

    assert code == 2
    assert "f1-clocks-minutes-apart" in err


def test_a_failure_is_a_no_with_the_line_that_shows_it_again(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "f22-no-hint-arrives"
    ending, _ = simulate_scenario(name)
    monkeypatch.setattr(
        "nvent_sched.testing.simulator.scenarios.seeing.simulate_scenario",
        lambda _: (ending, "it did not go well"),
    )

    code, out, _ = ask("--scenario", name)

    assert code == 1
    assert f"✗ scenario {name}" in out
    assert "it did not go well" in out
    assert f"again: nvent-sched simulate --scenario {name}" in out
