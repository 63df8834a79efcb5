"""What a live view knows: rows that move with events, and what changed since."""

from __future__ import annotations

from typing import Any

import pytest

from nvent_sched._model.events import EventKind
from nvent_sched._model.instances import Instance
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.roles import Role
from nvent_sched._model.runs import Outcome, RunState
from nvent_sched._views.status import Row, State, StatusModel, state_of
from nvent_sched._views.status import model as model_module
from nvent_sched._views.status.rows import STRIP_MAX
from tests.views.builders import (
    DAILY,
    NOW,
    a_job,
    a_run,
    at,
    ended,
    going,
    stats,
    told,
)


@pytest.fixture
def model() -> StatusModel:
    model = StatusModel(url="memory:")
    model.note_jobs([a_job()], [stats()])
    return model


def row_of(model: StatusModel, job_id: str = "job") -> Row:
    return next(row for row in model.rows() if row.id == job_id)


def test_a_job_that_waits_says_when_it_is_due_and_in_words(model: StatusModel) -> None:
    row = row_of(model)

    assert (row.words, row.next_due, row.strip) == ("every hour", at(3600), "")
    assert state_of(row, now=NOW) is State.WAITING


def test_a_started_run_shows_at_once_and_its_end_too(model: StatusModel) -> None:
    model.fold(told(EventKind.RUN_STARTED, run_id="r1", seconds=1))
    running = row_of(model)
    detail = str(Outcome.SUCCEEDED)
    model.fold(told(EventKind.RUN_FINISHED, run_id="r1", seconds=3, detail=detail))
    waiting = row_of(model)

    assert state_of(running, now=at(2)) is State.RUNNING
    assert running.started_at == at(1)
    assert state_of(waiting, now=at(3)) is State.WAITING
    assert (waiting.last_outcome, waiting.last_duration_us) == ("succeeded", 2_000_000)
    assert waiting.strip == "p"


def test_a_failure_makes_a_job_failing_until_it_succeeds(model: StatusModel) -> None:
    model.note_runs([ended("r1", outcome=Outcome.FAILED)])
    failing = state_of(row_of(model), now=at(2))
    model.note_runs([ended("r2", start=5)])

    assert failing is State.FAILING
    assert state_of(row_of(model), now=at(9)) is State.WAITING
    assert row_of(model).strip == "Pp"


def test_what_is_read_later_replaces_what_an_event_told(model: StatusModel) -> None:
    model.fold(told(EventKind.RUN_FINISHED, run_id="r1", seconds=9, detail="failed"))
    model.note_runs([ended("r1", outcome=Outcome.FAILED, took=4)])

    assert (row_of(model).last_duration_us, row_of(model).strip) == (4_000_000, "P")


def test_a_run_that_is_claimed_ahead_does_not_undo_a_start(model: StatusModel) -> None:
    model.fold(told(EventKind.RUN_STARTED, run_id="r1", seconds=1))
    model.note_runs([going("r1", started_at=None)])

    assert row_of(model).going == 1


def test_progress_is_shown_and_nothing_changes_if_it_stands_still(
    model: StatusModel,
) -> None:
    model.note_runs([going("r1", progress=0.25, progress_note="a\nquarter")])
    version = model.version
    model.note_runs([going("r1", progress=0.25, progress_note="a\nquarter")])

    row = row_of(model)
    assert (row.progress, row.progress_note) == (0.25, "a quarter")
    assert model.version == version


def test_a_run_that_waits_for_another_try_says_when(model: StatusModel) -> None:
    model.fold(told(EventKind.RUN_STARTED, run_id="r1"))
    model.fold(told(EventKind.RUN_RETRYING, run_id="r1", seconds=1))
    model.note_runs([a_run("r1", attempt=2, ready_at=at(8))])

    row = row_of(model)
    assert (row.going, row.again_at) == (0, at(8))
    assert state_of(row, now=at(2)) is State.RETRYING


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"status": JobStatus.PAUSED, "note": "rain"}, State.PAUSED),
        ({"status": JobStatus.FINISHED, "next_time": None}, State.FINISHED),
        (
            {
                "next_time": at(-60),
                "considered_until": at(-61),
                "anchor": at(-99),
            },
            State.LATE,
        ),
    ],
)
def test_a_job_that_does_not_wait_says_so(fields: dict[str, Any], state: State) -> None:
    model = StatusModel(url="memory:")
    model.note_jobs([a_job(**fields)], [stats()])

    assert state_of(row_of(model), now=NOW) is state


def test_the_strip_is_bounded_and_in_the_order_of_ends(model: StatusModel) -> None:
    runs = [ended(f"r{n}", start=n, took=1 + n % 2) for n in range(60)]
    model.note_runs(reversed(runs))

    assert row_of(model).strip == "hp" * (STRIP_MAX // 2)


def test_what_was_not_run_or_cancelled_has_signs_of_its_own(model: StatusModel) -> None:
    model.note_runs(
        ended(f"r{n}", start=n, outcome=outcome)
        for n, outcome in enumerate(
            (Outcome.MISSED, Outcome.CANCELLED, Outcome.TIMED_OUT)
        )
    )

    assert row_of(model).strip == ".xP"


def test_a_delta_tells_only_what_changed_since(model: StatusModel) -> None:
    model.note_jobs([a_job("other")], [stats("other")])
    version = model.version
    model.fold(told(EventKind.RUN_STARTED, run_id="r1"))

    delta = model.delta_since(version)

    assert delta is not None
    assert [row.id for row in delta.rows] == ["job"]
    assert model.delta_since(delta.version) == type(delta)(
        version=delta.version, rows=(), gone=()
    )


def test_a_delta_has_a_limit_and_the_next_one_goes_on(model: StatusModel) -> None:
    ids = [f"j{n}" for n in range(5)]
    model.note_jobs(map(a_job, ids), map(stats, ids))

    first = model.delta_since(0, limit=4)
    assert first is not None
    second = model.delta_since(first.version, limit=4)
    assert second is not None

    assert [r.id for r in first.rows + second.rows] == ["job", *ids]


def test_a_removed_job_is_gone_in_the_delta(model: StatusModel) -> None:
    version = model.version
    model.fold(told(EventKind.JOB_REMOVED))

    delta = model.delta_since(version)

    assert delta is not None
    assert (delta.rows, delta.gone, len(model)) == ((), ("job",), 0)


def test_a_job_that_came_back_is_not_gone(model: StatusModel) -> None:
    version = model.version
    model.note_gone(["job"])
    model.note_jobs([a_job()], [stats()])

    delta = model.delta_since(version)

    assert delta is not None
    assert ([row.id for row in delta.rows], delta.gone) == (["job"], ())


def test_who_was_away_for_too_long_needs_every_row_again(
    model: StatusModel,
) -> None:
    version = model.version
    ids = [f"j{n}" for n in range(model_module.GONE_MAX + 2)]
    model.note_jobs(map(a_job, ids), map(stats, ids))
    model.note_gone(ids)

    assert model.delta_since(version) is None


def test_an_event_wants_its_job_and_run_read_once(model: StatusModel) -> None:
    for _ in range(3):
        model.fold(told(EventKind.RUN_STARTED, run_id="r1"))

    assert model.wanted.take(limit=10) == (("job",), ("r1",))
    assert model.wanted.take(limit=10) == ((), ())


def test_a_job_that_is_due_and_silent_is_read_again(model: StatusModel) -> None:
    model.want_overdue(now=at(3600), limit=10)
    assert not model.wanted
    model.want_overdue(now=at(3604), limit=10)

    assert model.wanted.take(limit=10) == (("job",), ())


def test_an_event_of_an_unknown_outcome_is_survived(model: StatusModel) -> None:
    model.fold(told(EventKind.RUN_STARTED, run_id="r1"))
    model.fold(told(EventKind.RUN_FINISHED, run_id="r1", detail="evaporated"))

    assert row_of(model).going == 0


def test_the_rate_counts_runs_by_minute(model: StatusModel) -> None:
    for seconds, detail in ((1, "succeeded"), (2, "failed"), (61, "succeeded")):
        run_id = f"r{seconds}"
        event = told(
            EventKind.RUN_FINISHED, run_id=run_id, seconds=seconds, detail=detail
        )
        model.fold(event)

    assert model.minutes.until(at(62))[-3:] == ((0, 0), (2, 1), (1, 0))
    assert model.minutes.until(at(3600 + 2))[0] == (1, 0)


def test_what_needs_somebody_comes_first(model: StatusModel) -> None:
    jobs = [a_job("fails"), a_job("late", next_time=at(1)), a_job("runs")]
    model.note_jobs(jobs, map(stats, ["fails", "late", "runs"]))
    model.note_runs([ended("f", job_id="fails", outcome=Outcome.LOST)])
    model.note_runs([going("g", job_id="runs")])

    shown = model.snapshot(now=at(60), limit=3)

    assert [row.id for row in shown] == ["fails", "late", "runs"]


def test_what_a_pattern_keeps_can_be_told_from_a_job(model: StatusModel) -> None:
    model.note_jobs([a_job("await:order-42")], [stats("await:order-42")])

    assert row_of(model, "await:order-42").role is Role.AWAIT


def test_the_detail_of_a_job_says_what_a_clock_change_does() -> None:
    model = StatusModel(url="memory:")
    job = a_job(schedule=DAILY, next_time=at(3600), tags=("ops",))
    model.note_jobs([job], [stats(counts={Outcome.FAILED: 2})])
    march_27 = at(86 * 24 * 3600)
    raised = "Traceback (most recent call last):\nKeyError: 'x'\na note"

    detail = model.detail(
        "job",
        runs=[
            ended("r2", outcome=Outcome.FAILED, error=raised),
            ended("r1", log=("42 rows",)),
        ],
        now=march_27,
    )

    assert detail is not None
    facts = dict(detail.facts)
    assert facts["handler"] == "work (no instance has it)"
    assert facts["runs"] == "2 failed"
    assert [each.text for each in detail.coming][:2] == [
        "Sat 2026-03-28 02:30:00 CET",
        "Sun 2026-03-29 03:00:00 CEST",
    ]
    assert "skips" in detail.coming[1].note
    assert detail.error == raised
    assert (detail.log, detail.log_run) == (("42 rows",), "r1")
    assert [line.text for line in detail.runs] == ["KeyError: 'x'", ""]
    assert dict(detail.policies)["overlap"] == "skip"


def test_an_instance_that_has_the_handler_is_not_complained_of(
    model: StatusModel,
) -> None:
    instance = Instance(
        id="i1",
        host="here",
        pid=1,
        release="1",
        started_at=NOW,
        heartbeat_at=NOW,
        handlers=("work",),
    )
    model.note_instances([instance])

    detail = model.detail("job", runs=[], now=NOW)

    assert detail is not None
    assert dict(detail.facts)["handler"] == "work"
    assert model.detail("nobody", runs=[], now=NOW) is None


def test_a_run_that_waits_behind_another_is_not_shown_as_going(
    model: StatusModel,
) -> None:
    model.note_runs([a_run("r1", state=RunState.WAITING)])

    assert row_of(model).going == 0
