"""Promises of the agenda, by example: each was broken once."""

from __future__ import annotations

from typing import Final

import pytest

from nvent_sched._model.claims import DueJob, LiveRun
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.policies import Misfire, Overlap, Policies
from nvent_sched._model.runs import RunState
from nvent_sched._rules.agenda import LOOKAHEAD_US, agenda_of
from nvent_sched._rules.recurrence import due_of, schedule_of
from nvent_sched._rules.schedules import Interval
from tests.rules.conftest import NOON, World, register_new

SECOND: Final = Interval(seconds=1)


@pytest.mark.parametrize("outage_s", [10, 5_000])
def test_a_limit_of_runs_does_not_make_an_outage_long(outage_s: int) -> None:
    policies = Policies(misfire=Misfire.LATEST, misfire_grace_us=0, runs_max=3)
    world = World(job=register_new(SECOND, policies))

    world.do(("outage", outage_s * SECOND_US))

    missed, latest = world.runs.values()
    assert missed.count == outage_s - 1
    assert latest.scheduled_time == NOON + outage_s * SECOND_US


@pytest.mark.parametrize("outage_s", [5, 5_000])
@pytest.mark.parametrize("misfire", Misfire)
def test_jitter_never_passes_the_next_occurrence(
    misfire: Misfire, outage_s: int
) -> None:
    policies = Policies(misfire=misfire, jitter_us=600 * SECOND_US)
    job = register_new(SECOND, policies)
    now = Instant(NOON + outage_s * SECOND_US)

    due = agenda_of(DueJob(job=job), schedule_of(job), now=now).due

    assert [each.due_time for each in due] == [
        due_of(job, each.scheduled_time) for each in due
    ]
    assert all(each.due_time < each.scheduled_time + SECOND_US for each in due)


@pytest.mark.parametrize(
    ("schedule", "policies"),
    [
        (SECOND, Policies(ends_at=Instant(NOON + SECOND_US), jitter_us=10**9)),
        (SECOND, Policies(runs_max=1, jitter_us=10**9)),
        (Interval(seconds=1, after="finish"), Policies(jitter_us=10**9)),
    ],
    ids=["ends_at", "runs_max", "after finish"],
)
def test_a_job_is_due_when_it_is_looked_at(
    schedule: Interval, policies: Policies
) -> None:
    job = register_new(schedule, policies)
    assert job.next_time is not None
    due_at = due_of(job, job.next_time)

    agenda = agenda_of(DueJob(job=job), schedule_of(job), now=due_at)

    assert [each.due_time for each in agenda.due] == [due_at]


@pytest.mark.parametrize("outage_s", [5, 5_000])
def test_nothing_is_due_before_its_jitter_has_passed(outage_s: int) -> None:
    job = register_new(SECOND, Policies(jitter_us=SECOND_US))
    latest = Instant(NOON + outage_s * SECOND_US)
    assert due_of(job, latest) > latest + LOOKAHEAD_US

    agenda = agenda_of(DueJob(job=job), schedule_of(job), now=latest)

    assert agenda.next_time == latest
    assert agenda.considered_until == latest - SECOND_US


@pytest.mark.parametrize(
    ("overlap", "is_going", "count"),
    [
        (Overlap.SKIP, False, 1),
        (Overlap.SKIP, True, 0),
        (Overlap.ALLOW_ALL, False, 2),
        (Overlap.ALLOW_ALL, True, 2),
    ],
)
def test_ahead_of_its_time_comes_only_what_nothing_can_change_any_more(
    overlap: Overlap, count: int, *, is_going: bool
) -> None:
    job = register_new(Interval(milliseconds=100), Policies(overlap=overlap))
    going = LiveRun(
        id="run",
        state=RunState.CLAIMED,
        scheduled_time=NOON,
        due_time=NOON,
        is_cancelled=False,
    )
    facts = DueJob(job=job, live=(going,) if is_going else ())

    agenda = agenda_of(facts, schedule_of(job), now=NOON)

    assert len(agenda.due) == count


def test_a_long_outage_ends_where_the_job_does() -> None:
    job = register_new(SECOND, Policies(ends_at=Instant(NOON + 2_000 * SECOND_US)))
    now = Instant(NOON + 5_000 * SECOND_US)

    agenda = agenda_of(DueJob(job=job), schedule_of(job), now=now)

    assert agenda.considered_until == job.definition.policies.ends_at
    assert agenda.next_time is None
