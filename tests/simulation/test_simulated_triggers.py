"""Triggers of simulated programs: whatever dies, each fire is heard, and once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.runs import Outcome
from nvent_sched._rules.schedules import Interval
from nvent_sched.patterns import triggers
from nvent_sched.testing.checker import Wrong
from nvent_sched.testing.simulator import (
    Kind,
    SimulatedJob,
    Trouble,
    World,
    draw_world,
    simulate_world,
)
from nvent_sched.testing.simulator.handing import judge_fires
from nvent_sched.testing.simulator.losing import Failover
from nvent_sched.testing.simulator.patterns import Fired, Patterns, SimulatedTrigger
from nvent_sched.testing.simulator.timeline import BEGIN

if TYPE_CHECKING:
    from nvent_sched._model.runs import Run
    from nvent_sched.testing.simulator import Ending

ORDER = SimulatedTrigger(name="order")
KILLS = tuple(
    Trouble(at_us=at * SECOND_US, kind=Kind.KILL_AT_CALL, who=at % 2, amount=2 * at + 1)
    for at in range(1, 9)
)


def simulated(trigger: SimulatedTrigger, *troubles: Trouble) -> Ending:
    world = World(
        seed=1,
        jobs=(SimulatedJob(id="job", schedule=Interval(seconds=9)),),
        troubles=troubles,
        patterns=Patterns(triggers=(trigger,)),
    )
    return simulate_world(world)


def runs_of(ending: Ending, job_id: str) -> list[Run]:
    (known,) = (each for each in ending.journal.jobs if each.job.id == job_id)
    return sorted(known.runs, key=lambda run: run.id)


def test_seeds_draw_triggers_by_hand_and_by_schedule_also_some_heard_late() -> None:
    drawn = [draw_world(seed).patterns.triggers for seed in range(300)]

    assert any(each.every_us is None for triggers in drawn for each in triggers)
    assert any(each.every_us is not None for triggers in drawn for each in triggers)
    assert any(each.heard_us for triggers in drawn for each in triggers)


@pytest.mark.parametrize("heard_us", [None, 15 * SECOND_US], ids=["early", "late"])
@pytest.mark.parametrize("every_us", [None, 3 * SECOND_US], ids=["by hand", "by time"])
def test_each_fire_is_heard_once_although_instances_die(
    every_us: int | None, heard_us: int | None
) -> None:
    trigger = replace(ORDER, every_us=every_us, heard_us=heard_us)

    ending = simulated(trigger, *KILLS)

    assert ending.report.violations == ()
    heard = runs_of(ending, "on:order:hearer")
    assert len(heard) >= 8
    assert {run.outcome for run in heard} == {Outcome.SUCCEEDED}


def test_seeds_draw_that_users_close_triggers_and_pause_who_hears_them() -> None:
    kinds = {each.kind for seed in range(300) for each in draw_world(seed).troubles}

    assert {Kind.CLOSE, Kind.OPEN, Kind.HUSH, Kind.HEAR} <= kinds


def test_what_is_fired_while_nobody_hears_is_recorded_and_nothing_while_it_is_closed() -> (
    None
):
    ending = simulated(
        ORDER,
        Trouble(at_us=SECOND_US, kind=Kind.HUSH),
        Trouble(at_us=4 * SECOND_US, kind=Kind.HEAR),
        Trouble(at_us=5 * SECOND_US, kind=Kind.CLOSE),
        Trouble(at_us=20 * SECOND_US, kind=Kind.OPEN),
    )

    assert ending.report.violations == ()
    heard = runs_of(ending, "on:order:hearer")
    assert {run.outcome for run in heard} == {Outcome.SUCCEEDED, Outcome.MISSED}
    fired = [run.ready_at - BEGIN for run in runs_of(ending, "trigger:order")]
    assert not [at for at in fired if 5 * SECOND_US < at < 20 * SECOND_US]
    assert [at for at in fired if at > 20 * SECOND_US]


def test_a_fire_that_is_handed_on_to_nobody_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def deliver(*_: object, **__: object) -> dict[str, Any]:
        return {"delivered": 0, "skipped": 0}

    monkeypatch.setattr(triggers, "deliver", deliver)

    violations = simulated(ORDER).report.violations

    assert {each.wrong for each in violations} == {Wrong.MISSING}
    assert len(violations) == 8


def test_what_was_kept_and_is_never_handed_on_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(triggers, "newest_kept", lambda *_, **__: None)

    violations = simulated(replace(ORDER, heard_us=15 * SECOND_US)).report.violations

    assert {each.wrong for each in violations} == {Wrong.MISSING}


def judged(
    fired: list[Fired], runs: list[Run], *, failover: bool = False
) -> set[Wrong]:
    lost = Failover(
        since=Instant(BEGIN + 1),
        at=Instant(BEGIN + 9),
        ended=frozenset(),
        jobs_lost=frozenset(),
    )
    found = judge_fires(
        ORDER, fired=fired, runs=runs, failover=lost if failover else None
    )
    return {each.wrong for each in found}


def test_a_fire_that_was_answered_is_there_unless_a_failover_lost_it() -> None:
    fired = Fired(run_id="trigger:order!gone", at=Instant(BEGIN + 5))
    before = replace(fired, at=BEGIN)

    assert judged([fired], []) == {Wrong.MISSING}
    assert judged([fired], [], failover=True) == set()
    assert judged([before], [], failover=True) == {Wrong.MISSING}


def test_what_was_heard_and_never_fired_is_found() -> None:
    ending = simulated(ORDER)
    heard = runs_of(ending, ORDER.subscription_id)
    fires = runs_of(ending, ORDER.job_id)

    assert judged([], [*fires, *heard]) == set()
    assert judged([], [*fires[1:], *heard]) == {Wrong.EXTRA}
